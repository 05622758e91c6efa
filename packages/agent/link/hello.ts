// The first words of this agent on a stream.
import { earliestCapability, newestCapability } from '@powernode/core/wire/capability';
import type { Hello } from '@powernode/core/wire/node-stream';
import type { Held } from '../state/current-document.ts';
import { agentVersion } from '../version.ts';

type Facts = Pick<Hello, 'run' | 'hostname' | 'addresses' | 'families' | 'underlay' | 'unused_keys'>;

/** `held`: the document on disk; `applied`: what the machine was last seen to be equal to. */
export function helloOf(
  facts: Facts,
  { held, applied }: { readonly held: Held | null; readonly applied: Held | null },
): Hello {
  return {
    kind: 'hello',
    capability: newestCapability,
    capability_min: earliestCapability,
    agent_version: agentVersion,
    held: named(held),
    applied: named(applied),
    ...facts,
  };
}

function named(held: Held | null): Hello['held'] {
  return held === null ? null : { revision: held.revision, hash: held.hash };
}
