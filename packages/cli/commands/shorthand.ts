// Small objects on the command line: `tag:web` for {"kind":"tag","tag":"web"}, `peer:ID` for {"peer_id":"ID"}, and
// JSON for whatever else. Which words there are is read from the schema.
import type { JsonSchema } from '@powernode/core/actions/json-schema';

/** A parser for values of the schema, and the words that it takes; no words: JSON alone. */
export function objectParser(schema: JsonSchema): {
  readonly parse: (given: string) => unknown;
  readonly words: readonly string[];
} {
  const members = Object.keys(schema.properties ?? {});
  const kinds = schema.properties?.['kind']?.enum?.map(String) ?? [];
  // A single word cannot give more than one member.
  const isShort = (schema.required ?? []).length <= 1;
  const words = kinds.length > 0 ? kinds : isShort ? members.map(wordOf) : [];
  const shown = words.map((word) =>
    kinds.length > 0 && memberOf(word, members) === null ? word : `${word}:…`,
  );
  return {
    words: shown,
    parse: (given) => {
      if (given.trimStart().startsWith('{')) return parseJson(given);
      const [, word = '', value = null] = /^([a-z0-9_]+)(?::(.*))?$/s.exec(given) ?? [];
      if (!words.includes(word)) throw new SyntaxError(`write ${[...shown, 'JSON'].join(', ')}`);
      const member = memberOf(word, members);
      const kind = kinds.length > 0 ? { kind: word } : {};
      if (member === null || value === null) {
        if (member === null && value === null) return kind;
        throw new SyntaxError(member === null ? `${word} takes no value` : `write ${word}:VALUE`);
      }
      return { ...kind, [member]: value };
    },
  };
}

export function parseJson(given: string): unknown {
  try {
    return JSON.parse(given);
  } catch {
    throw new SyntaxError('it is not JSON');
  }
}

function wordOf(member: string): string {
  return member.replace(/_id$/, '');
}

function memberOf(word: string, members: readonly string[]): string | null {
  return members.find((member) => member !== 'kind' && wordOf(member) === word) ?? null;
}
