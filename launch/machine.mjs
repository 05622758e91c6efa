// What the tests need from the machine: installed where that is possible, else a reason to skip. Runs on the Node that
// the project brings, after its dependencies are there.
import { describeMissing, missingPrograms, packagesOf } from '../packages/core/machine/needs.ts';
import {
  installPackages,
  machineFacts,
  namespaceTrouble,
  tunnelTrouble,
} from '../packages/lab/stage/machine.ts';

/** @typedef {Record<string, string>} Skips group of tests → why it cannot run here */

/** @returns {Skips} */
export function prepareMachine() {
  const before = missingPrograms('tests', machineFacts);
  const trouble =
    before.length > 0
      ? installPackages(packagesOf(before), (line) => process.stdout.write(`${line}\n`))
      : null;
  /** @type {Skips} */
  const skips = {};
  if (process.getuid?.() !== 0) skips.root = 'this user is not root';
  const network = networkTrouble();
  if (network !== null) skips.net = network;
  const missing = missingPrograms('tests', machineFacts);
  for (const { group } of missing) {
    const ofGroup = missing.filter((program) => program.group === group);
    skips[group] ??= `${describeMissing(ofGroup)}${trouble === null ? '' : `: ${trouble}`}`;
  }
  return skips;
}

/** @returns {string | null} */
function networkTrouble() {
  if (process.platform !== 'linux') return 'network namespaces need Linux';
  if (process.getuid?.() !== 0) return 'network namespaces need root';
  return namespaceTrouble() ?? tunnelTrouble();
}
