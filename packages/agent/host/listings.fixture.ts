// Test support: rules of real hosts, as nft listed them.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { type HostRules, readHostRules } from './host-rules.ts';

export function listed(...names: readonly string[]): HostRules {
  const rules = names.flatMap((name) => [
    ...readHostRules(readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8')),
  ]);
  return new Map(rules);
}
