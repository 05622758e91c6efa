// Which interfaces are made and taken away.
import type { InterfaceEntry } from '@powernode/core/wire/document';
import type { ObservedInterface } from '../observed.ts';
import type { Problem } from '../problem.ts';
import { type PlanInput, type PlannedSteps, touches } from '../subsystem.ts';
import type { LinkStep } from './steps.ts';

export function planLinks(input: PlanInput): PlannedSteps {
  const removals: LinkStep[] = [];
  const others: LinkStep[] = [];
  const problems: Problem[] = [];
  for (const name of namesInScope(input)) {
    const wanted = input.document.get('interface', name);
    const observed = input.observed.interfaces.get(name);
    if (wanted === undefined) {
      if (observed?.ours) removals.push({ kind: 'remove_interface', name });
      continue;
    }
    if (isForeign(observed)) {
      problems.push(takenProblem(name));
      continue;
    }
    const alive = aliveOf(observed);
    if (alive === undefined) {
      if (observed !== undefined) removals.push({ kind: 'remove_interface', name });
      others.push({ kind: 'create_interface', name });
    }
    // Made by an agent that knew no group.
    const lacksGroup =
      alive?.grouped !== true && (input.exportRoutes === true || input.document.all('pods').size > 0);
    if (alive?.prepared !== true || lacksGroup) others.push({ kind: 'prepare_interface', name });
  }
  return { apply: [...removals, ...others], problems };
}

/** An interface that the document wants and that nobody else has, as it will be when links are set. */
export interface WantedInterface {
  readonly entry: InterfaceEntry;
  /** undefined: it is made anew. */
  readonly alive: ObservedInterface | undefined;
}

export function wantedInterfaces(input: PlanInput): WantedInterface[] {
  const wanted: WantedInterface[] = [];
  for (const name of namesInScope(input)) {
    const entry = input.document.get('interface', name);
    const observed = input.observed.interfaces.get(name);
    if (entry !== undefined && !isForeign(observed)) wanted.push({ entry, alive: aliveOf(observed) });
  }
  return wanted;
}

/** The interfaces that the scope names, by themselves or by a peer of theirs. */
function namesInScope({ scope, document, observed }: PlanInput): Set<string> {
  const names = new Set<string>();
  if (scope === 'all') {
    for (const name of document.all('interface').keys()) names.add(name);
    for (const one of observed.interfaces.values()) if (one.ours) names.add(one.name);
    return names;
  }
  for (const key of scope) {
    const [kind, name] = key.split('/', 2);
    if ((kind === 'interface' || kind === 'peer') && name !== undefined) names.add(name);
  }
  if (touches(scope, 'pods/')) for (const name of document.all('interface').keys()) names.add(name);
  // A virtual address that is gone does not say any more where it was; what one interface has, others may have too.
  if (touches(scope, 'interface/', 'virtual_ip/')) {
    for (const one of observed.interfaces.values()) if (one.ours) names.add(one.name);
  }
  return names;
}

function isForeign(observed: ObservedInterface | undefined): boolean {
  return observed !== undefined && !observed.ours;
}

/** undefined: it is not there, or WireGuard does not answer for it, and so it is made anew. */
function aliveOf(observed: ObservedInterface | undefined): ObservedInterface | undefined {
  return observed !== undefined && observed.device !== null ? observed : undefined;
}

function takenProblem(name: string): Problem {
  return {
    subsystem: 'wireguard',
    code: 'interface_taken',
    detail: `Interface ${name} exists and was not created by the agent. Rename it, or detach this instance from the network.`,
    interface: name,
  };
}
