// `powernode login` and `powernode logout`.
import { buildCommand } from '@stricli/core';
import { loginPath, removeLogin, writeLogin } from '../login/login-file.ts';
import { readToken } from '../login/secret-input.ts';
import { checkedUrl, defaultUrl, namedAuthority } from '../login/target.ts';
import { whoami } from '../login/whoami.ts';
import { platformAt } from '../remote/platform.ts';
import { clean } from '../show/text.ts';
import type { CliContext, NoFlags } from '../world.ts';

interface LoginFlags {
  readonly url?: string;
  readonly tokenFile?: string;
  readonly ca?: string;
}

const optionalText = (brief: string, placeholder: string) =>
  ({ kind: 'parsed', parse: String, optional: true, brief, placeholder }) as const;

export const loginCommand = buildCommand<LoginFlags, [], CliContext>({
  docs: {
    brief: 'Sign in and store the token',
    fullDescription:
      'Checks the token and stores it, with the URL, in a file that only you can read.\nThe token is read from --token-file, from standard input, or from a hidden prompt; it is never an argument.',
  },
  parameters: {
    flags: {
      url: optionalText(`URL of the platform (default POWERNODE_URL or ${defaultUrl})`, 'url'),
      tokenFile: optionalText('File with the token, such as <data-dir>/admin-token', 'file'),
      ca: optionalText('PEM file of the CA that signed its certificate', 'file'),
    },
  },
  async func(flags) {
    const { world } = this;
    const url = checkedUrl(flags.url ?? (world.env['POWERNODE_URL'] || defaultUrl));
    const authorityPem = await namedAuthority(world, flags);
    const token = await readToken(world, flags.tokenFile);
    const who = await whoami(platformAt({ url, token, authorityPem }));
    const file = await writeLogin(world.env, {
      url,
      token,
      ...(authorityPem === null ? {} : { authority_pem: authorityPem }),
    });
    const name = clean(who.operator.name);
    world.stdout.write(
      `Signed in at ${url} as ${name} (${who.operator.role}, account ${clean(who.account.name)}).\n`,
    );
    world.stdout.write(`Kept in ${file}.\n`);
  },
});

export const logoutCommand = buildCommand<NoFlags, [], CliContext>({
  docs: {
    brief: 'Forget the stored token',
    fullDescription:
      'Removes the file that powernode login wrote. The token itself stays valid until it is revoked.',
  },
  parameters: {},
  async func() {
    const removed = await removeLogin(this.world.env);
    this.world.stdout.write(
      removed ? `Removed ${loginPath(this.world.env)}.\n` : 'You were not signed in.\n',
    );
  },
});
