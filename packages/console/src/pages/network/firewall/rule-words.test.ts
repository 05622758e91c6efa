// What rules and findings are called.
import type { FirewallFinding, FirewallRule } from '@powernode/core/intent/firewall';
import { describe, expect, it } from 'vitest';
import { auditWords, findingsByObject, ruleName, type Selector, selectorWords } from './rule-words.ts';

function selector(kind: Selector['kind'], label: string, resolves = true): Selector {
  return { kind, label, resolves };
}

const rule: FirewallRule = {
  id: 'r',
  account_id: 'a',
  created_at: '',
  updated_at: '',
  revision: 1,
  network_id: 'n',
  name: null,
  direction: 'ingress',
  action: 'drop',
  selector: selector('tag', 'guest'),
  destination: selector('all', 'all'),
  protocol: 'tcp',
  port_range: '22',
  enabled: true,
  packets: null,
  bytes: null,
  counted_at: null,
};

describe('a rule', () => {
  it('is called by its name, or by what it does', () => {
    expect(ruleName({ ...rule, name: 'no ssh' })).toBe('no ssh');
    expect(ruleName(rule)).toBe('drop tcp 22 from guest to all');
    expect(ruleName({ ...rule, protocol: 'any', port_range: null })).toBe('drop from guest to all');
  });

  it.each([
    [selector('all', 'all'), 'any'],
    [selector('peer', 'edge1'), 'peer edge1'],
    [selector('peer', 'peer that is gone', false), 'peer that is gone'],
    [selector('tag', 'guest', false), 'tag guest (unused)'],
  ])('is about somebody: %o', (of, words) => {
    expect(selectorWords(of)).toBe(words);
  });
});

describe('findings', () => {
  const finding = (id: string, severity: FirewallFinding['severity']): FirewallFinding => ({
    kind: 'dead',
    severity,
    object: { type: 'firewall_rule', id, name: id },
    by: null,
    detail: '',
  });
  const findings = [finding('r', 'info'), finding('s', 'warning'), finding('r', 'error')];

  it('are found by what they are about, the worst first', () => {
    const found = findingsByObject(findings);
    expect(found.get('r')?.map(({ severity }) => severity)).toEqual(['error', 'info']);
    expect(found.get('t')).toBeUndefined();
  });

  it('are counted in words', () => {
    expect(auditWords(findings)).toBe('1 error, 1 warning, 1 remark');
    expect(auditWords([])).toBe('');
  });
});
