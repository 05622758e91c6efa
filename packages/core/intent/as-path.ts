// Regular expressions of AS paths, as bgpd has them: which ones it accepts, and which of those can be matched here in
// predictable time. Only characters that mean the same in POSIX and in JavaScript are accepted.
import { asPathRepeatsMax } from '../limits/routing.ts';

/** What `_` stands for: an end of the path, or a separator in it. */
const separator = '(?:^|[,{}() ]|$)';
/** Of the characters that one consists of. */
export const asPathText = '^[0-9._^$\\[\\]()|*+?-]+$';
const item = /^(?:[0-9._^$]|\[\^?[0-9]+(?:-[0-9]+)?\])/;
const repeat = /^[*+?]/;

/** Why the expression is not accepted, as a sentence; null: it is. */
export function asPathFault(text: string): string | null {
  const parts = partsOf(text);
  if (parts === null) {
    return 'must consist of digits, . _ ^ $ [0-9] ( ) | * + ?, such as _65001_';
  }
  let repeats = 0;
  const open: { isPlain: boolean; isEmpty: boolean }[] = [{ isPlain: true, isEmpty: true }];
  for (const [i, part] of parts.entries()) {
    const group = open.at(-1);
    if (group === undefined) return 'has a ) without a (';
    if (part === '(') open.push({ isPlain: true, isEmpty: true });
    else if (part === ')') {
      if (open.length === 1) return 'has a ) without a (';
      if (group.isEmpty) return 'has an empty group or alternative';
      const next = parts[i + 1] ?? '';
      if (repeat.test(next) && !group.isPlain) {
        return 'repeats a group that has | or another repetition inside, which cannot be matched in predictable time: write the alternatives out';
      }
      open.pop();
      const outer = open.at(-1);
      if (outer !== undefined) outer.isEmpty = false;
      if (outer !== undefined && !group.isPlain) outer.isPlain = false;
    } else if (part === '|') {
      if (group.isEmpty) return 'has an empty group or alternative';
      group.isPlain = false;
      group.isEmpty = true;
    } else if (repeat.test(part)) {
      const before = parts[i - 1];
      if (before === undefined || /^[(|*+?^$_]/.test(before)) return `has a ${part} with nothing to repeat`;
      group.isPlain = false;
      if (part !== '?') repeats++;
    } else group.isEmpty = false;
  }
  if (open.length > 1) return 'has a ( without a )';
  if (open[0]?.isEmpty === true) return 'has an empty group or alternative';
  return repeats > asPathRepeatsMax ? `has more than ${asPathRepeatsMax} repetitions (* and +)` : null;
}

/** Characters and classes in their order; null: something else is there. */
function partsOf(text: string): string[] | null {
  const parts: string[] = [];
  let rest = text;
  while (rest !== '') {
    const [part] = item.exec(rest) ?? /^[()|*+?]/.exec(rest) ?? [];
    if (part === undefined || isBackward(part)) return null;
    parts.push(part);
    rest = rest.slice(part.length);
  }
  return parts;
}

/** `[9-0]` */
function isBackward(part: string): boolean {
  const [, first = '', last = ''] = /([0-9])-([0-9])/.exec(part) ?? [];
  return first > last;
}

/** The expression for JavaScript, of one that has no fault. */
export function asPathPattern(text: string): RegExp {
  return new RegExp(text.replaceAll('_', separator));
}
