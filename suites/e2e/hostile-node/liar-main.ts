// `liar-main.ts IDENTITY FRAMES SEED`: lies in the name of the machine whose identity file it is given, and prints one
// line of JSON about how that went.
import { readFileSync } from 'node:fs';
import { sendLies } from '../../../packages/platform/testing/liar.fixture.ts';

const [identityFile = '', frames = '0', seed = '1'] = process.argv.slice(2);
const identity = JSON.parse(readFileSync(identityFile, 'utf8')) as Record<string, string>;
const report = await sendLies(
  {
    nodeUrl: identity['node_url'] ?? '',
    keyPem: identity['key_pem'] ?? '',
    certificatePem: identity['certificate_pem'] ?? '',
    authorityPem: identity['authority_pem'] ?? '',
  },
  { frames: Number(frames), seed: Number(seed) },
);
process.stdout.write(`${JSON.stringify(report)}\n`, () => process.exit(0));
