// When the table of rules and the settings of forwarding are written, and in which order with what they guard.
import { networkId } from '@powernode/core/compile/firewall/random-rules.fixture';
import { familyOf } from '@powernode/core/net/address';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { describe, expect, test } from 'vitest';
import { applySteps, type ModelKernel } from '../model-kernel.fixture.ts';
import { nothingObserved, type ObservedInterface } from '../observed.ts';
import { planForwarding } from '../routes/plan.ts';
import type { Step } from '../step.ts';
import type { Scope } from '../subsystem.ts';
import { hubAndSpoke, rule, rules, services } from './chains/documents.fixture.ts';
import { planRuleset } from './plan.ts';

const off = { ipv6: false, ipv4: false };
const bare: ModelKernel = { seen: nothingObserved, forwardingHeld: off };

interface Planned {
  readonly before: readonly Step[];
  readonly after: readonly Step[];
}

function plan(entries: readonly EntryValue[], kernel: ModelKernel, scope: Scope = 'all'): Planned {
  const { seen: observed, forwardingHeld } = kernel;
  const input = { document: nodeDocumentOf(entries), observed, scope, forwardingHeld };
  const { apply = [], finish = [] } = planRuleset(input);
  return { before: apply, after: [...planForwarding(input), ...finish] };
}

function kinds(steps: Planned) {
  const named = (list: readonly Step[]) =>
    list.map((step) =>
      'how' in step
        ? `${step.kind} ${step.how}`
        : 'family' in step
          ? `${step.kind} ${step.family}`
          : step.kind,
    );
  return { before: named(steps.before), after: named(steps.after) };
}

function applied(entries: readonly EntryValue[], kernel: ModelKernel = bare): ModelKernel {
  const { before, after } = plan(entries, kernel);
  return applySteps(kernel, [...before, ...after]);
}

const nothing = { before: [], after: [] };

describe('the table of rules', () => {
  const kernel = applied([...hubAndSpoke, ...services, ...rules]);

  test('comes before anything is forwarded, and goes after', () => {
    expect(kinds(plan(hubAndSpoke, bare))).toEqual({
      before: ['set_ruleset whole'],
      after: ['start_forwarding ipv6', 'start_forwarding ipv4'],
    });
    expect(kinds(plan([], kernel))).toEqual({
      before: [],
      after: ['stop_forwarding ipv6', 'stop_forwarding ipv4', 'remove_ruleset'],
    });
  });

  test('is left alone when it is there', () => {
    expect(plan([...hubAndSpoke, ...services, ...rules], kernel)).toEqual(nothing);
  });

  test('is changed where it is, when what was loaded is there, and else replaced', () => {
    const more = [...hubAndSpoke, ...services, ...rules, rule(9, {})];
    expect(kinds(plan(more, kernel)).before).toEqual(['set_ruleset change']);
    const ruleset = kernel.seen.ruleset;
    if (ruleset === null) throw new Error('rules expected');
    const hurt = { ...kernel, seen: { ...kernel.seen, ruleset: { ...ruleset, others: ['quota'] } } };
    expect(kinds(plan(more, hurt)).before).toEqual(['set_ruleset whole']);
    const unknown = { ...kernel, seen: { ...kernel.seen, ruleset: { ...ruleset, loaded: null } } };
    expect(kinds(plan(more, unknown)).before).toEqual(['set_ruleset whole']);
  });

  test.each([
    ['rule/rule-1', true],
    [`member/${networkId}/web/fd00:99::108`, true],
    ['virtual_ip/vip-1', true],
    ['interface/wg-test', true],
    ['peer/wg-test/key', false],
    ['route/fd00:99::/64', false],
  ])('is thought about when %s changed: %s', (key, isThoughtAbout) => {
    const { before } = plan(hubAndSpoke, bare, new Set([key]));
    expect(before.length > 0).toBe(isThoughtAbout);
  });
});

describe('a leased address that goes', () => {
  const kernel = applied([...hubAndSpoke, ...services]);
  const one: ObservedInterface = {
    name: 'wg-test',
    ours: true,
    prepared: true,
    grouped: true,
    flavour: 'kernel',
    mtu: 1420,
    up: true,
    addresses: ['fd00:99::101/128', 'fd00:99::111/128'],
    device: null,
  };
  const present = { ...kernel, seen: { ...kernel.seen, interfaces: new Map([['wg-test', one]]) } };
  const guardedBy = (steps: readonly Step[]) =>
    steps.flatMap((step) =>
      step.kind === 'set_ruleset'
        ? [[...(step.ruleset.sets.get('pn_virtual6')?.elements?.keys() ?? [])]]
        : [],
    );

  test('is guarded until the machine does not have it any more', () => {
    const { before, after } = plan(hubAndSpoke, present);
    expect(guardedBy(before)).toEqual([['fd00:99::111']]);
    expect(guardedBy(after)).toEqual([[]]);
    const gone = plan(hubAndSpoke, kernel);
    expect([guardedBy(gone.before), guardedBy(gone.after)]).toEqual([[[]], []]);
  });

  test('is not guarded any more when it stays and needs no lease', () => {
    const kept = services.map((entry) => (entry.kind === 'virtual_ip' ? { ...entry, lease: null } : entry));
    const { before, after } = plan([...hubAndSpoke, ...kept], present);
    expect([guardedBy(before), guardedBy(after)]).toEqual([[[]], []]);
  });
});

describe('forwarding', () => {
  test('of IPv4 is switched on for an overlay that has it, and then nothing else is forwarded', () => {
    const six = hubAndSpoke.map((entry) =>
      entry.kind === 'interface'
        ? { ...entry, addresses: entry.addresses.filter((address) => familyOf(address) === 6) }
        : entry,
    );
    expect(kinds(plan(six, bare)).after).toEqual(['start_forwarding ipv6']);
    const both = applied(hubAndSpoke);
    expect(both.seen.forwarding).toEqual({ ipv6: true, ipv4: true });
    expect(both.seen.ruleset?.loaded?.chains.get('pn_forward')?.rules).toContain('meta nfproto ipv4 drop');
    // What was on before stays on, and as open as it was.
    const router: ModelKernel = {
      ...bare,
      seen: { ...nothingObserved, forwarding: { ipv6: false, ipv4: true } },
    };
    expect(kinds(plan(hubAndSpoke, router)).after).toEqual(['start_forwarding ipv6']);
    const left = applied([], applied(hubAndSpoke, router));
    expect(left.seen.forwarding).toEqual({ ipv6: false, ipv4: true });
    expect(applied(hubAndSpoke, router).seen.ruleset?.loaded?.chains.get('pn_forward')?.rules).not.toContain(
      'meta nfproto ipv4 drop',
    );
  });
});
