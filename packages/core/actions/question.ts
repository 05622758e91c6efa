// The question that a person is asked before an operation runs: what it is, with which parameters, what it would make of
// which values, and what it would change on which machines. Made of what the platform found out, never of what a model
// says of it.
import type { Plan } from '../intent/autonomy.ts';
import { withNamesOf } from './plan-fields.ts';

const nodesShownMax = 6;
const changesShownMax = 4;
/** The summary, or a machine with what changes there. */
const lineLengthMax = 200;
/** A name of a host has at most 253 characters; a longer text is a description, whose beginning is enough to decide by. */
const textLengthMax = 253;
/** All elements of a list are shown, because each may be what is granted; so much of one value is still read. */
const valueLengthMax = 2_000;

export interface Asked {
  readonly summary: string;
  readonly input: Readonly<Record<string, unknown>>;
  /** As in `intent/autonomy.ts`; anything else is left out. */
  readonly plan: unknown;
}

/** What a person reads. Whoever approves has to have seen everything, so nobody is asked to where something is hidden. */
export interface PersonsQuestion {
  readonly text: string;
  /** How many elements of lists and members of objects are not in it. */
  readonly hidden: number;
}

const endings = {
  approve: 'Nothing has changed yet. Approve it now?',
  reject: 'It is pending, and nothing has changed yet. Reject it?',
} as const;

/** Several lines. Values are quoted, so that none can pass for a line of the question. */
export function questionFor(
  { summary, input, plan }: Asked,
  decision: keyof typeof endings = 'approve',
): PersonsQuestion {
  let hidden = 0;
  const quoted = (value: unknown): string => {
    const quotation = new Quotation();
    const text = quotation.of(value);
    hidden += quotation.hidden;
    return text;
  };
  const changed = fieldLines(plan, quoted);
  const parameters = Object.entries(input)
    .filter(([name, value]) => value !== undefined && value !== null && name !== 'dry_run')
    .filter(([name]) => !changed.has(name))
    .map(([name, value]) => `  ${name}: ${quoted(value)}`);
  const lines = [...parameters, ...changed.values(), ...planLines(plan)];
  return { text: [shortLine(summary), ...lines, endings[decision]].join('\n'), hidden };
}

/** `firewall_default_policy: "drop" → "accept"`, by the name of the field, which is mostly that of the parameter. */
function fieldLines(plan: unknown, quoted: (value: unknown) => string): ReadonlyMap<string, string> {
  const { fields, names } = recordOf(plan) as Partial<Plan>;
  if (!Array.isArray(fields)) return new Map();
  return new Map(
    fields.map(({ path, before, after }) => {
      const [was, is] = [before, after].map((value) => quoted(withNamesOf(value, names)));
      return [path, `  ${shortLine(path)}: ${was} → ${is}`];
    }),
  );
}

function planLines(plan: unknown): string[] {
  const { nodes, node_count: count } = recordOf(plan);
  if (!Array.isArray(nodes) || typeof count !== 'number') return [];
  if (count === 0) return ['It changes no instance.'];
  const shown = nodes.slice(0, nodesShownMax).map(nodeLine);
  const left = count - shown.length;
  return [
    `It changes ${count === 1 ? '1 instance' : `${count} instances`}:`,
    ...shown,
    ...(left > 0 ? [`  and ${left} more`] : []),
  ];
}

function nodeLine(node: unknown): string {
  const { hostname, changes, changes_count: count } = recordOf(node);
  const details = (Array.isArray(changes) ? changes : [])
    .slice(0, changesShownMax)
    .map((change) => String(recordOf(change)['detail']));
  const left = typeof count === 'number' ? count - details.length : 0;
  const more = left > 0 ? [`and ${left} more`] : [];
  return shortLine(`  ${String(hostname)}: ${[...details, ...more].join('; ')}`);
}

/** One value as JSON on one line. Only texts are shortened; of lists and objects what has no room is counted. */
class Quotation {
  hidden = 0;
  #room = valueLengthMax;

  of(value: unknown): string {
    if (Array.isArray(value)) return `[${this.#all(value, (one) => this.of(one))}]`;
    if (typeof value !== 'object' || value === null) return this.#scalar(value);
    return `{${this.#all(Object.entries(value), ([name, one]) => `${this.#scalar(name)}:${this.of(one)}`)}}`;
  }

  #all<T>(elements: readonly T[], show: (element: T) => string): string {
    const shown: string[] = [];
    for (const element of elements) {
      if (this.#room <= 0) break;
      shown.push(show(element));
    }
    const left = elements.length - shown.length;
    this.hidden += left;
    return left > 0 ? [...shown, `… and ${left} more`].join(',') : shown.join(',');
  }

  #scalar(value: unknown): string {
    const isLong = typeof value === 'string' && value.length > textLengthMax;
    // The mark is outside of the quotation marks, where no text can put one.
    const text = isLong
      ? `${plainLine(JSON.stringify(value.slice(0, textLengthMax)))}…`
      : plainLine(JSON.stringify(value ?? null));
    this.#room -= text.length + 1;
    return text;
  }
}

/** One line without characters that move the cursor or turn the direction of writing. */
function plainLine(text: string): string {
  return text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}]/gu, ' ');
}

function shortLine(text: string): string {
  const plain = plainLine(text);
  return plain.length > lineLengthMax ? `${plain.slice(0, lineLengthMax)}…` : plain;
}

function recordOf(value: unknown): Record<string, unknown> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}
