// The statements of a route policy as they stand in the fields of its form, and as parameters. No elements here.
import type { RoutePolicy } from '@powernode/core/intent/route-policy';
import { statementSeqMax } from '@powernode/core/limits/routing';
import type { Parameters } from '../../../api/client.ts';
import { numberOrText } from '../../form-values.ts';

export type Statement = RoutePolicy['statements'][number];
export type StatementParameters = Parameters<'createRoutePolicy'>['statements'];

/** What is written in the fields of one statement. Empty: not matched, not set. */
export interface StatementDraft {
  /** Of this form only. */
  readonly key: number;
  readonly seq: string;
  readonly action: Statement['action'];
  readonly prefix: string;
  readonly prefixGe: string;
  readonly prefixLe: string;
  /** The id of the peer that announces the prefix. */
  readonly peer: string;
  readonly community: string;
  readonly asPath: string;
  readonly localPref: string;
  readonly med: string;
  readonly setCommunity: string;
  readonly prepend: string;
  readonly nextHop: string;
}

const blank = {
  action: 'permit',
  prefix: '',
  prefixGe: '',
  prefixLe: '',
  peer: '',
  community: '',
  asPath: '',
  localPref: '',
  med: '',
  setCommunity: '',
  prepend: '',
  nextHop: '',
} as const;

/** Numbers that leave room for others between them. */
const seqStep = 10;

export const firstDraft: StatementDraft = { key: 0, seq: String(seqStep), ...blank };

export function draftsOf(statements: readonly Statement[]): readonly StatementDraft[] {
  const text = (value: number | string | undefined) => (value === undefined ? '' : String(value));
  return statements.map(({ seq, match, set, action }, key) => ({
    key,
    seq: String(seq),
    action,
    prefix: text(match.prefix),
    prefixGe: text(match.prefix_ge),
    prefixLe: text(match.prefix_le),
    peer: text(match.peer),
    community: text(match.community),
    asPath: text(match.as_path),
    localPref: text(set.local_pref),
    med: text(set.med),
    setCommunity: text(set.community),
    prepend: text(set.prepend),
    nextHop: text(set.next_hop),
  }));
}

/** One more at the end, behind all others in the order of evaluation. */
export function withOneMore(drafts: readonly StatementDraft[]): readonly StatementDraft[] {
  const last = Math.max(0, ...drafts.map(({ seq }) => (Number.isInteger(Number(seq)) ? Number(seq) : 0)));
  const seq = Math.min(last + seqStep, statementSeqMax);
  const key = Math.max(-1, ...drafts.map((draft) => draft.key)) + 1;
  return [...drafts, { key, seq: String(seq), ...blank }];
}

/** The statement before or behind it changes places with it, and both their numbers. */
export function moved(
  drafts: readonly StatementDraft[],
  from: number,
  by: 1 | -1,
): readonly StatementDraft[] {
  const [one, other] = [drafts[from], drafts[from + by]];
  if (one === undefined || other === undefined) return drafts;
  return drafts.with(from, { ...other, seq: one.seq }).with(from + by, { ...one, seq: other.seq });
}

/** The indexes of the drafts in the order in which they are evaluated, which is the one that they are sent in. */
function sentOrder(drafts: readonly StatementDraft[]): number[] {
  return drafts
    .map(({ seq }, i) => ({ i, number: Number(seq) }))
    .sort((a, b) => (a.number < b.number ? -1 : a.number > b.number ? 1 : a.i - b.i))
    .map(({ i }) => i);
}

/** For each draft, which of the sent statements it is: the platform names that one where something is wrong. */
export function positionsOf(drafts: readonly StatementDraft[]): readonly number[] {
  const positions: number[] = [];
  for (const [at, i] of sentOrder(drafts).entries()) positions[i] = at;
  return positions;
}

export function statementParameters(drafts: readonly StatementDraft[]): StatementParameters {
  return sentOrder(drafts).flatMap((i) => {
    const draft = drafts[i];
    return draft === undefined ? [] : [statementOf(draft)];
  });
}

function statementOf(draft: StatementDraft): StatementParameters[number] {
  const { action, seq } = draft;
  return {
    seq: numberOrText(seq),
    match: {
      ...textAt('prefix', draft.prefix),
      ...numberAt('prefix_ge', draft.prefixGe),
      ...numberAt('prefix_le', draft.prefixLe),
      ...textAt('peer', draft.peer),
      ...textAt('community', draft.community),
      ...textAt('as_path', draft.asPath),
    },
    // A denied path is dropped, so that nothing is set in it.
    set:
      action === 'deny'
        ? {}
        : {
            ...numberAt('local_pref', draft.localPref),
            ...numberAt('med', draft.med),
            ...textAt('community', draft.setCommunity),
            ...prependAt(draft.prepend),
            ...textAt('next_hop', draft.nextHop),
          },
    action,
  };
}

function textAt<N extends string>(name: N, text: string): { readonly [K in N]?: string } {
  return text.trim() === '' ? {} : ({ [name]: text.trim() } as { [K in N]: string });
}

function numberAt<N extends string>(name: N, text: string): { readonly [K in N]?: number } {
  return text.trim() === '' ? {} : ({ [name]: numberOrText(text) } as { [K in N]: number });
}

/** One digit is how often the own AS number is prepended; anything else is a list of AS numbers. */
function prependAt(text: string): { readonly prepend?: number | string } {
  const written = text.trim();
  if (written === '') return {};
  return { prepend: /^\d$/.test(written) ? Number(written) : written };
}
