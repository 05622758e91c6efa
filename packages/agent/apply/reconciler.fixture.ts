// Test support: a reconciler on a machine that is a model, with everything that it reports, and a clock that is the test's.
import type { EntryValue } from '@powernode/core/wire/document';
import { documentOf, hashOf, hubDocument, peerOf } from '../fixtures/documents.ts';
import type { Drift } from '../observe/drift.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import type { Held } from '../state/current-document.ts';
import type { Problem } from '../subsystems/problem.ts';
import { ModelMachine } from './model-machine.fixture.ts';
import { Reconciler } from './reconciler.ts';

export const hubKey = `${'H'.repeat(43)}=`;
export const spokeKey = `${'S'.repeat(43)}=`;
export const otherKey = `${'O'.repeat(43)}=`;
export const hub = hubDocument(1, hubKey);
export const onePeer = peerOf({ interface: 'wg-test', number: 2, publicKey: spokeKey });

export function startReconciler() {
  const clock = new FakeClock();
  const machine = new ModelMachine();
  /** Revisions, in the order in which the machine became them. */
  const applied: number[] = [];
  const failed: Problem[][] = [];
  const drift: Drift[] = [];
  /** Errors of the agent itself. */
  const ownErrors: unknown[] = [];
  const reconciler = new Reconciler({
    machine,
    clock,
    families: () => [],
    events: {
      applied: (held) => applied.push(held.revision),
      failed: (_held, problems) => failed.push([...problems]),
      drifted: (some) => drift.push(...some),
      looked: () => undefined,
      switched: () => undefined,
      programmingError: (error) => ownErrors.push(error),
    },
  });
  return { clock, machine, applied, failed, drift, ownErrors, reconciler };
}

export function held(revision: number, values: readonly EntryValue[]): Held {
  const entries = documentOf(values);
  return { revision, hash: hashOf(entries), entries };
}
