// Random troubles of a network, drawn from a seed: partitions of some machines from all others, and single paths cut.
import type { Lab, Pair } from '../../../packages/lab/lab.ts';
import { hubs, members } from '../../../packages/lab/testing/services.ts';
import type { Chance } from '../../stage/random.ts';

export type Trouble =
  | { readonly kind: 'partition'; readonly names: readonly string[] }
  | { readonly kind: 'cuts'; readonly pairs: readonly Pair[] };

const platform = 'main';

/** Partitions of all kinds; and cuts about one of the candidates, as those are what could make two of them holders. */
export function drawTrouble(chance: Chance, candidates: readonly string[]): Trouble {
  const candidate = chance.oneOf(candidates) ?? '';
  switch (chance.weighted({ anyone: 3, candidate: 2, withHubs: 3, platform: 1, cuts: 3 })) {
    case 'anyone':
      return { kind: 'partition', names: some(chance, members) };
    case 'candidate':
      return { kind: 'partition', names: [candidate] };
    case 'withHubs':
      return { kind: 'partition', names: [candidate, ...some(chance, hubs)] };
    case 'platform':
      return { kind: 'partition', names: [platform, ...some(chance, members)] };
    case 'cuts': {
      const others = some(chance, [...hubs, platform]);
      return { kind: 'cuts', pairs: others.map((b) => ({ a: candidate, b })) };
    }
  }
}

/** At least one of them. */
function some(chance: Chance, names: readonly string[]): string[] {
  const share = 0.2 + chance.next() * 0.5;
  const drawn = names.filter(() => chance.next() < share);
  return drawn.length > 0 ? drawn : [chance.oneOf(names) ?? ''];
}

export async function begin(lab: Lab, trouble: Trouble): Promise<void> {
  if (trouble.kind === 'partition') return lab.partition(trouble.names);
  await Promise.all(trouble.pairs.map((pair) => lab.cut(pair)));
}

export async function end(lab: Lab, trouble: Trouble): Promise<void> {
  if (trouble.kind === 'partition') return lab.unite();
  await Promise.all(trouble.pairs.map((pair) => lab.heal(pair)));
}

export function describe(trouble: Trouble): string {
  if (trouble.kind === 'partition') return `parted: ${trouble.names.join(' ')}`;
  return `cut: ${trouble.pairs.map(({ a, b }) => `${a}–${b}`).join(' ')}`;
}
