// `powernode agent build`: the packages of the agent for other machines, which `powernode up` builds too.
import { ensureAgents } from './agents.mjs';
import { printHelpAndEnd } from './help.mjs';
import { LaunchError, root } from './places.mjs';

printHelpAndEnd('agent');
try {
  await ensureAgents({ must: true });
  process.stdout.write(`The packages are in ${root}/packages/agent/dist; manifest.json has their digests.\n`);
} catch (error) {
  if (!(error instanceof LaunchError)) throw error;
  process.stderr.write(`powernode: ${error.message}\n`);
  process.exitCode = 69;
}
