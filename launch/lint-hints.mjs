// What to do about findings of the linter whose own messages only count.
import { stripVTControlCharacters } from 'node:util';

/** By the name of the rule. @type {Readonly<Record<string, string>>} */
const hints = {
  'max-lines':
    'A file has at most 450 lines: move what can be named on its own into a file of its own, beside it.',
  'max-lines-per-function':
    'A function has at most 70 lines: give its steps names and make them functions. Where it is one text or one element, say so behind "oxlint-disable-next-line max-lines-per-function --".',
};

/** @returns {string[]} one line for each rule that the output of the linter names */
export function hintsFor(/** @type {string} */ output) {
  const plain = stripVTControlCharacters(output);
  return Object.entries(hints).flatMap(([rule, hint]) =>
    new RegExp(`\\(${rule}\\)`).test(plain) ? [`${rule}: ${hint}`] : [],
  );
}
