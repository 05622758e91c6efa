// The same as the page does, as commands for a shell. Neither the secret nor the private key is an argument of a
// program, where other users of the machine could read it: both come by standard input.
import { bootstrapIssuePath, configFileName, privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';

export function scriptText(of: {
  readonly origin: string;
  readonly token: string;
  readonly networkName: string;
}): string {
  const file = configFileName(of.networkName);
  return [
    'umask 077',
    'wg genkey > device.key',
    `curl --fail-with-body --data @- -H 'Content-Type: application/json' -H 'Accept: text/plain' ${of.origin}${bootstrapIssuePath} > ${file} <<END`,
    `{"token": "${of.token}", "public_key": "$(wg pubkey < device.key)"}`,
    'END',
    `sed -i -f /dev/stdin ${file} <<END`,
    `s|${privateKeyPlaceholder}|$(cat device.key)|`,
    'END',
    `wg-quick up ./${file}`,
  ].join('\n');
}
