// A packet through the chains of this host that are not the agent's: whether one of them certainly drops it. Rules that
// depend on something unknown (a port, a mark, a module of iptables) are never taken to drop; where one of them might
// accept the packet, that is said.
import { hostWalkStepsMax } from '@powernode/core/limits/agent';
import { chainKey, type HostChain, type HostRules, type Rule } from './host-rules.ts';
import { type HostPacket, holds, isObject, mapped, type Truth } from './matches.ts';

export interface Drop {
  /** The base chain that decides. */
  readonly chain: HostChain;
  /** Where it is dropped: a chain with a rule that does, or the base chain by its policy. */
  readonly at: HostChain;
  readonly by: 'rule' | 'policy';
  /** Rules before it accept some packets, by what is not known here. */
  readonly partly: boolean;
}

type Outcome = 'accept' | 'continue' | { readonly at: HostChain };

/** The base chains of a hook that drop the packet. Every one of them has to let it through. */
export function dropsOf(
  rules: HostRules,
  hook: 'prerouting' | 'input' | 'forward',
  packet: HostPacket,
): Drop[] {
  const families = packet.family === 6 ? ['inet', 'ip6'] : ['inet', 'ip'];
  const drops: Drop[] = [];
  for (const chain of rules.values()) {
    if (chain.hook !== hook || chain.type !== 'filter' || !families.includes(chain.family)) continue;
    if (chain.family === 'inet' && chain.table === 'powernode') continue;
    const walk = new HostWalk(rules, packet);
    const outcome = walk.through(chain);
    if (outcome === 'accept') continue;
    const isPolicy = outcome === 'continue';
    if (isPolicy && chain.policy === 'accept') continue;
    drops.push({
      chain,
      at: isPolicy ? chain : outcome.at,
      by: isPolicy ? 'policy' : 'rule',
      partly: walk.mayAccept,
    });
  }
  return drops;
}

class HostWalk {
  readonly #rules: HostRules;
  readonly #packet: HostPacket;
  #steps = 0;
  mayAccept = false;

  constructor(rules: HostRules, packet: HostPacket) {
    this.#rules = rules;
    this.#packet = packet;
  }

  through(chain: HostChain): Outcome {
    for (const rule of chain.rules) {
      // A ruleset that is larger than this is not evaluated: nothing is said of it.
      if (++this.#steps > hostWalkStepsMax) return 'accept';
      const { truth, verdict } = this.#read(rule);
      if (truth === false || verdict === null) continue;
      const outcome = this.#follow(verdict, chain, truth === null);
      if (outcome === 'return') return 'continue';
      if (outcome !== null) return outcome;
    }
    return 'continue';
  }

  /** null: the next rule. `isDoubtful`: it is not known whether the packet gets there. */
  #follow(verdict: unknown, chain: HostChain, isDoubtful: boolean): Outcome | 'return' | null {
    const [kind, value] = verdictOf(verdict);
    switch (kind) {
      case 'accept':
      case 'queue':
        if (!isDoubtful) return 'accept';
        this.mayAccept = true;
        return null;
      case 'drop':
      case 'reject':
        return isDoubtful ? null : { at: chain };
      case 'return':
        return isDoubtful ? null : 'return';
      case 'jump':
      case 'goto': {
        const target = this.#rules.get(chainKey({ ...chain, name: targetOf(value) }));
        const outcome = target === undefined ? 'continue' : this.through(target);
        if (isDoubtful) {
          this.mayAccept ||= outcome === 'accept';
          return null;
        }
        if (outcome !== 'continue') return outcome;
        return kind === 'goto' ? 'return' : null;
      }
      default:
        return null;
    }
  }

  #read(rule: Rule): { readonly truth: Truth; readonly verdict: unknown } {
    let truth: Truth = true;
    let verdict: unknown = null;
    const isOfItsInterface = rule.some((statement) => this.#namesInterface(statement));
    for (const statement of rule) {
      if (!isObject(statement)) continue;
      const part = this.#truthOf(statement, isOfItsInterface);
      if (part === false) return { truth: false, verdict: null };
      if (part === null) truth = null;
      if ('vmap' in statement) {
        const found = mapped(statement['vmap'], this.#packet);
        if (found !== undefined && found !== null) verdict = found;
      } else if (isVerdict(statement)) verdict = statement;
    }
    return { truth, verdict };
  }

  /** Somebody wrote the rule for packets of this very interface. */
  #namesInterface(statement: unknown): boolean {
    const match = isObject(statement) ? statement['match'] : undefined;
    const left = isObject(match) ? match['left'] : undefined;
    const meta = isObject(left) ? left['meta'] : undefined;
    if (!isObject(match) || !isObject(meta) || !/^[io]if(?:name)?$/.test(String(meta['key']))) return false;
    return match['op'] === '==' && holds(match, this.#packet) === true;
  }

  #truthOf(statement: Record<string, unknown>, isOfItsInterface: boolean): Truth {
    if ('match' in statement) return holds(statement['match'], this.#packet);
    const xt = statement['xt'];
    if (isObject(xt) && xt['type'] === 'match')
      return moduleTruth(String(xt['name']), isOfItsInterface || this.#packet.isReply === true);
    return 'limit' in statement ? null : true;
  }
}

/** A match of iptables that nft does not show: its name is known, and not what it asks for. */
function moduleTruth(name: string, isDoubtful: boolean): Truth {
  if (name === 'comment') return true;
  if (name !== 'conntrack' && name !== 'state') return null;
  // RELATED,ESTABLISHED in what every tool writes for all packets, or INVALID; this one is the first of its connection.
  return isDoubtful ? null : false;
}

const verdicts = ['accept', 'drop', 'reject', 'return', 'jump', 'goto', 'queue'] as const;

function isVerdict(statement: Record<string, unknown>): boolean {
  if (verdicts.some((name) => name in statement)) return true;
  const xt = statement['xt'];
  return (
    isObject(xt) && xt['type'] === 'target' && /^(?:ACCEPT|DROP|REJECT|NFQUEUE)$/.test(String(xt['name']))
  );
}

function verdictOf(statement: unknown): [kind: string, value: unknown] {
  if (!isObject(statement)) return ['', null];
  const xt = statement['xt'];
  if (isObject(xt)) return [String(xt['name']).toLowerCase().replace('nfqueue', 'queue'), null];
  const kind = verdicts.find((name) => name in statement) ?? '';
  return [kind, statement[kind]];
}

function targetOf(value: unknown): string {
  return isObject(value) ? String(value['target']) : '';
}
