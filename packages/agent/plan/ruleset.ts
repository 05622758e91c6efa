// The rules that keep networks apart where this machine forwards, as nftables text. Which forwarding is accepted
// follows from the document alone; the text is loaded and read back in apply/nftables.
import { hash } from 'node:crypto';
import type { EntryValue, ForwardingEntry, InterfaceEntry } from '@powernode/core/wire/document';
import type { SeenRuleset } from './seen.ts';

export const tableName = 'powernode';
export const chainName = 'pn_forward';

/** What the table is to contain: its text, and what it must look like when it is read back. */
export interface Ruleset {
  readonly text: string;
  readonly hash: string;
  /** Names of interfaces in each set, sorted. */
  readonly sets: ReadonlyMap<string, readonly string[]>;
  readonly ruleCount: number;
}

export interface RulesetIntent {
  readonly interfaces: readonly InterfaceEntry[];
  readonly forwarding: readonly ForwardingEntry[];
  /**
   * The machine forwarded no IPv6 before the agent made it. Then it forwards nothing else now either: it must not
   * become a router between its other networks because it is a hub.
   */
  readonly closedOtherwise: boolean;
}

export function rulesetIntentOf(entries: Iterable<EntryValue>, closedOtherwise: boolean): RulesetIntent {
  const interfaces: InterfaceEntry[] = [];
  const forwarding: ForwardingEntry[] = [];
  for (const entry of entries) {
    if (entry.kind === 'interface') interfaces.push(entry);
    else if (entry.kind === 'forwarding') forwarding.push(entry);
  }
  return { interfaces, forwarding, closedOtherwise };
}

/**
 * null when nothing is needed: there is no overlay interface. A machine that is no hub gets the table too, because
 * it may forward for other reasons (containers, a LAN), and overlays must not leak into those.
 */
export function rulesetOf(intent: RulesetIntent): Ruleset | null {
  if (intent.interfaces.length === 0) return null;
  const sets = new Map([['pn_overlay', namesOf(intent.interfaces)]]);
  const rules = ['ct state established,related accept'];
  const forwarding = [...intent.forwarding].sort((a, b) => (a.handle < b.handle ? -1 : 1));
  for (const entry of forwarding) {
    const names = namesOf(intent.interfaces.filter((one) => one.network_id === entry.network_id));
    if (names.length === 0) continue;
    const set = `pn_net_${entry.handle}`;
    sets.set(set, names);
    rules.push(`iifname @${set} oifname @${set} accept`);
  }
  rules.push('iifname @pn_overlay drop', 'oifname @pn_overlay drop');
  // Only IPv6: nothing was switched on for IPv4.
  if (intent.closedOtherwise && forwarding.length > 0) rules.push('meta nfproto ipv6 drop');
  return render(sets, rules);
}

function namesOf(interfaces: readonly InterfaceEntry[]): string[] {
  return interfaces.map((one) => one.name).sort();
}

/** Each rule carries the hash of all of it as its comment, so that a look shows whose rules are in the kernel. */
function render(sets: ReadonlyMap<string, readonly string[]>, rules: readonly string[]): Ruleset {
  const head = [...sets].flatMap(([name, names]) => [
    `\tset ${name} {`,
    '\t\ttype ifname',
    `\t\telements = { ${names.map((one) => `"${one}"`).join(', ')} }`,
    '\t}',
  ]);
  const digest = hash('sha256', [...head, ...rules].join('\n')).slice(0, 16);
  const lines = [
    // Declared, deleted and declared in full: one transaction, whether there was a table before or not.
    `table inet ${tableName}`,
    `delete table inet ${tableName}`,
    `table inet ${tableName} {`,
    ...head,
    `\tchain ${chainName} {`,
    '\t\ttype filter hook forward priority filter; policy accept;',
    ...rules.map((rule) => `\t\t${rule} comment "powernode ${digest}"`),
    '\t}',
    '}',
  ];
  return { text: `${lines.join('\n')}\n`, hash: digest, sets, ruleCount: rules.length };
}

/** Whether the kernel has what was rendered. The text is not compared: listings differ between versions of nft. */
export function isLoaded(wanted: Ruleset, seen: SeenRuleset | null): boolean {
  if (seen === null || seen.hash !== wanted.hash || !seen.chainFits) return false;
  if (seen.ruleCount !== wanted.ruleCount || seen.sets.size !== wanted.sets.size) return false;
  for (const [name, names] of wanted.sets) {
    const found = seen.sets.get(name);
    if (found?.length !== names.length || !names.every((one, i) => one === found[i])) return false;
  }
  return true;
}
