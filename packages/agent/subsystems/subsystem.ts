// What the agent asks of each part of the machine: look at it, plan what differs from the document, carry steps out,
// describe them, say how it is. Steps are data and are planned without the machine. The order of subsystems, retries
// and the observed state are the orchestrator's (plan/plan.ts, apply/).

import type { NodeSubsystem } from '@powernode/core/intent/common';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { NodeProblemCode } from '@powernode/core/wire/node-problems';
import type { Clock } from '../ports/clock.ts';
import type { Run } from '../ports/run.ts';
import type { Settings } from '../ports/settings.ts';
import type { StateFolder } from '../state/folder.ts';
import type { KeyStore } from '../state/keys.ts';
import type { MtuCaps } from './addresses/mtu.ts';
import type { IpRoute } from './iproute/iproute.ts';
import type { LookScope } from './look-scope.ts';
import type { NftTable } from './nftables/table.ts';
import type { ByFamily, Observation, ObservedState } from './observed.ts';
import type { Problem } from './problem.ts';
import type { Forwarding, StoreLater } from './routes/forwarding.ts';
import type { Step } from './step.ts';
import type { Calls } from './wireguard/calls.ts';
import type { ExtraAllowedIps } from './wireguard/peers.ts';

/** Which entries may differ: their keys, or all of them. Whatever is not in it is neither looked at nor touched. */
export type Scope = ReadonlySet<string> | 'all';

/** Whether an entry whose key begins like one of these is in the scope. */
export function touches(scope: Scope, ...heads: readonly string[]): boolean {
  if (scope === 'all') return true;
  for (const key of scope) if (heads.some((head) => key.startsWith(head))) return true;
  return false;
}

export interface PlanInput {
  readonly document: NodeDocument;
  readonly observed: ObservedState;
  readonly scope: Scope;
  /** For each destination of a route entry the interface that it is to go through; null: left out for now. */
  readonly choices: ReadonlyMap<string, string | null>;
  readonly extraAllowedIps: ExtraAllowedIps;
  /** The agent switched forwarding of the family on and remembers how it was before. */
  readonly forwardingHeld: ByFamily;
  /** Interfaces that are to have a lower MTU than the document says. */
  readonly mtuCaps?: MtuCaps;
  /** Bridges of the machine whose hosts may use its overlays; its owner says which. */
  readonly bridges?: readonly string[];
  /** Routes of networks' tables are copied to the main one, for routing daemons of the machine. */
  readonly exportRoutes?: boolean;
  /** The endpoint last written for a peer, by its key. Absent: not known. */
  readonly writtenEndpoints: ReadonlyMap<string, string>;
  readonly calls: Calls;
  readonly nowMs: number;
}

/** The steps of one subsystem, by when they are carried out. */
export interface PlannedSteps {
  /** What goes before anything else is touched; the last subsystem first. */
  readonly withdraw?: readonly Step[];
  /** What is set, in the order of subsystems. */
  readonly apply?: readonly Step[];
  /** What waits until everything is set; the last subsystem first. */
  readonly finish?: readonly Step[];
  /** What cannot be done; the rest can. */
  readonly problems?: readonly Problem[];
}

export interface StepDescription {
  /** The key of the entry that the step is about (document.ts), or `forwarding` for what belongs to all of them. */
  readonly key: string;
  /** What was found, said of the machine as it was before the step repaired it. */
  readonly drift: string;
  /** What could not be done, as the beginning of a sentence that goes on with why. */
  readonly failure: string;
  /** undefined: none, or all. */
  readonly interface?: string;
}

/** What the machine's tools need, and whom they tell. */
export interface MachineParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly folder: StateFolder;
  /** null: only looking and taking away are asked for. */
  readonly keys: KeyStore | null;
  /** A userspace WireGuard that this process started has ended. */
  readonly interfaceEnded: (name: string, why: string) => void;
  readonly store: StoreLater;
  /** Bridges whose hosts may use the overlays, as the machine's owner said. */
  readonly bridges: readonly string[];
  /** Routes of networks' tables are copied to the main one, as the machine's owner said. */
  readonly exportRoutes?: boolean;
  /** Around each run of a tool that writes the table of rules. */
  readonly rulesLoading: () => void;
  readonly rulesLoaded: () => void;
}

/** The same with what several subsystems share, or the agent asks directly. */
export interface SubsystemParts extends MachineParts {
  readonly ip: IpRoute;
  readonly forwarding: Forwarding;
  readonly table: NftTable;
}

export interface SubsystemHealth {
  readonly state: 'ok' | 'failed';
  /** What is wrong; where nothing is, a word on how it works here, or nothing. */
  readonly message: string;
}

/** The half of a subsystem that has the machine. */
export interface OpenSubsystem<S extends Step = Step> {
  /** null: nothing of it is in the scope. Fails when the machine cannot be looked at. */
  look(scope: LookScope): Promise<Observation> | null;
  /** Carries out steps of one batch in their order; returns what was done otherwise than asked. Fails when one did. */
  execute(steps: readonly S[]): Promise<Problem[]>;
  /** `problems`: those that the last turn had with it. */
  health(problems: readonly Problem[]): SubsystemHealth;
}

export interface Subsystem<S extends Step = Step> {
  readonly name: string;
  /** Subsystems that are set before this one. */
  readonly after: readonly string[];
  /** Under which name, and with which code, the platform is told of it. */
  readonly reported: { readonly as: NodeSubsystem; readonly code: NodeProblemCode };
  /** The steps that it plans, carries out and describes. */
  readonly kinds: readonly S['kind'][];
  /** `earlier`: what subsystems before this one are going to set. */
  plan(input: PlanInput, earlier: readonly Step[]): PlannedSteps;
  describe(step: S): StepDescription;
  /** Steps that follow each other with the same batch are carried out together. null: alone. */
  batchOf(step: S): string | null;
  /** Subsystems without which the step is not carried out: none of their steps may have failed. */
  needs?(step: S): readonly string[];
  /** After such a step everything is looked at, for it changes what other subsystems have. */
  changesOthers?(step: S): boolean;
  open(parts: SubsystemParts): OpenSubsystem<S>;
}

/** The usual health: what is wrong, in one text. */
export function healthOf(problems: readonly Problem[], working = ''): SubsystemHealth {
  if (problems.length === 0) return { state: 'ok', message: working };
  return { state: 'failed', message: problems.map(({ detail }) => detail).join(' ') };
}
