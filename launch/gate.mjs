// The static gate: everything that can be said about the sources without running them.
import { existsSync } from 'node:fs';
import { root, state } from './places.mjs';
import { runSteps } from './steps.mjs';

/** As many as there are processors on the smallest machine that this is run on. */
const atOnce = 2;
/** What a step remembers of the sources that it has seen; without it the gate takes seven times as much processor time. */
export const gateMemory = `${state}/gate`;

/** @returns {Promise<import('./steps.mjs').StepCount>} */
export function runGate() {
  const projects = ['tsconfig.json', 'launch/tsconfig.json', 'packages/console/tsconfig.json'];
  return runSteps(
    [
      { name: 'lint (oxlint)', command: process.execPath, args: [`${root}/launch/lint.mjs`] },
      {
        name: 'unused files, exports and dependencies (knip)',
        command: tool('knip'),
        args: ['--no-progress', '--cache', '--cache-location', `${gateMemory}/knip`],
      },
      ...projects
        .filter((project) => existsSync(`${root}/${project}`))
        .map((project) => ({
          name: `types (${project})`,
          command: tool('tsc'),
          args: ['-p', project, '--incremental', '--tsBuildInfoFile', buildInfoOf(project)],
        })),
      { name: 'format (biome)', command: tool('biome'), args: ['ci'] },
    ],
    { atOnce },
  );
}

/** Started as its own file: going through npx would cost each of them half a second. */
export function tool(/** @type {string} */ name) {
  return `${root}/node_modules/.bin/${name}`;
}

function buildInfoOf(/** @type {string} */ project) {
  return `${gateMemory}/${project.replaceAll('/', '-')}.buildinfo`;
}
