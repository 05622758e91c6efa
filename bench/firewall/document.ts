// The document of a node with very many rules: of all shapes, for peers, tags, blocks and everybody, always the same.
import { seededRandom } from '@powernode/core/testing/random';
import type { EntryValue, MemberEntry, RuleEntry, RuleSide } from '@powernode/core/wire/document';
import { entryKey } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';

export type ChangeKind = 'a rule for a peer' | 'a rule for a tag' | 'a rule for a block' | 'who has a tag';

const networkId = '01890000-0000-7000-8000-00000000bbbb';
const tagCount = 100;
/** What iperf3 listens on. */
export const openPort = 5201;
export const near = { six: 'fd00:99::101', four: '100.64.0.1' } as const;
export const far = { six: 'fd00:99::102', four: '100.64.0.2' } as const;

export class FirewallDocument {
  readonly whole: NodeDocument;
  readonly changeKinds: readonly ChangeKind[] = [
    'a rule for a peer',
    'a rule for a tag',
    'a rule for a block',
    'who has a tag',
  ];
  readonly #draw = drawing(20_261_122);
  readonly #peers: number;

  constructor(sizes: { readonly rules: number; readonly peers: number }) {
    this.#peers = sizes.peers;
    const entries = [...this.#base(), ...this.#members(), ...this.#rules(sizes.rules)];
    this.whole = NodeDocument.of(new Map(entries.map((entry) => [entryKey(entry), entry])));
  }

  /** One rule or member more, and with the next number it is gone again. */
  changed(before: NodeDocument, kind: ChangeKind, number: number): NodeDocument {
    const entry = this.#changing(kind);
    const key = entryKey(entry);
    const entries = new Map(before.entries);
    if (number % 2 === 0) entries.set(key, entry);
    else entries.delete(key);
    return before.next(entries, new Set([key]));
  }

  #changing(kind: ChangeKind): EntryValue {
    const number = 900_000 + this.changeKinds.indexOf(kind);
    // A port that no other rule names, so that there is something to write.
    const matched = { action: 'drop', protocol: 'tcp', ports: [443, 443] } as const;
    const of = (from: RuleSide) => rule(number, { ...matched, ports: [...matched.ports], from });
    switch (kind) {
      case 'a rule for a peer':
        return of({ kind: 'host', addresses: addressesOf(7) });
      case 'a rule for a tag':
        return of({ kind: 'group', group: 'tag7' });
      case 'a rule for a block':
        return of({ kind: 'cidr', cidr: 'fd00:99::7:0/112' });
      case 'who has a tag':
        return member('tag7', addressesOf(this.#peers + 7));
    }
  }

  #base(): EntryValue[] {
    return [
      {
        kind: 'interface',
        name: 'wg-test',
        network_id: networkId,
        peer_id: 'self',
        purpose: 'leaf',
        public_key: 'key',
        listen_port: 51820,
        mtu: 1420,
        addresses: [`${near.six}/128`, `${near.four}/32`],
        probe_addresses: [],
      },
      {
        kind: 'firewall',
        network_id: networkId,
        handle: 'test',
        prefixes: ['fd00:99::/64', '100.64.0.0/10'],
        default_policy: 'drop',
        rematch: true,
      },
      rule(1, { protocol: 'tcp', ports: [openPort, openPort] }),
      ...['tag1', 'tag20'].map((group) => member(group, [near.six, near.four])),
    ];
  }

  /** Three tags each, as a role, a site and a stage would be. */
  #members(): MemberEntry[] {
    return Array.from({ length: this.#peers }, (_, i) => i).flatMap((peer) =>
      [this.#draw(10), 10 + this.#draw(30), 40 + this.#draw(60)].map((tag) =>
        member(`tag${tag}`, addressesOf(peer)),
      ),
    );
  }

  #rules(count: number): RuleEntry[] {
    return Array.from({ length: count - 1 }, (_, i) => this.#rule(i + 2));
  }

  #rule(number: number): RuleEntry {
    const first = 10_000 + this.#draw(50_000);
    const ports = [null, [first, first], [first, first], [first, first + 50]] as const;
    const chosen = ports[this.#draw(ports.length)] ?? null;
    return rule(number, {
      direction: (['ingress', 'ingress', 'egress', 'both'] as const)[this.#draw(4)] ?? 'both',
      action: (['accept', 'accept', 'drop', 'reject'] as const)[this.#draw(4)] ?? 'accept',
      from: this.#side(),
      to: this.#draw(3) === 0 ? { kind: 'group', group: `tag${this.#draw(tagCount)}` } : { kind: 'all' },
      protocol: (['tcp', 'udp'] as const)[this.#draw(2)] ?? 'tcp',
      ports: chosen === null ? [1, 9] : [chosen[0], chosen[1]],
    });
  }

  #side(): RuleSide {
    const kind = this.#draw(10);
    if (kind < 4) return { kind: 'host', addresses: addressesOf(this.#draw(this.#peers)) };
    if (kind < 8) return { kind: 'group', group: `tag${this.#draw(tagCount)}` };
    if (kind === 8) return { kind: 'cidr', cidr: `fd00:99::${(1 + this.#draw(60_000)).toString(16)}:0/112` };
    return { kind: 'all' };
  }
}

function addressesOf(peer: number): [string, string] {
  const number = 0x1000 + peer;
  return [`fd00:99::${number.toString(16)}`, `100.65.${number >> 8}.${number & 255}`];
}

function rule(number: number, rest: Partial<RuleEntry>): RuleEntry {
  return {
    kind: 'rule',
    network_id: networkId,
    rule_id: `01890000-0000-7000-8000-${number.toString(16).padStart(12, '0')}`,
    direction: 'ingress',
    action: 'accept',
    from: { kind: 'all' },
    to: { kind: 'all' },
    protocol: 'any',
    ports: null,
    ...rest,
  };
}

function member(group: string, addresses: string[]): MemberEntry {
  return { kind: 'member', network_id: networkId, group, addresses };
}

/** Whole numbers below the given one, the same in every run. */
function drawing(seed: number): (below: number) => number {
  const random = seededRandom(seed);
  return (below) => Math.floor(random() * below);
}
