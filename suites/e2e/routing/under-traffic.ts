// Changes of the routing lab while hosts of its LANs ping each other: what each change may disturb by the model, and what
// it did disturb.
import { readFile } from 'node:fs/promises';
import { routingActions } from '@powernode/core/actions/routing';
import type { Plan } from '@powernode/core/intent/autonomy';
import type { Peer } from '@powernode/core/intent/peer';
import { frrDiff } from '../../../packages/agent/bgp/network.ts';
import { agentLog } from '../../../packages/lab/fleet/agent.ts';
import type { PingsSoFar, RunningPings } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import type { Change } from './changes.ts';
import { type FlowModel, lans, routersOf, type State, winnerOf } from './model.ts';
import { hubs, type RoutedLab } from './routed-lab.ts';

export interface Flow extends FlowModel {
  readonly address: string;
}

/** What one change did. */
export interface Effect {
  readonly kind: Change['kind'];
  /** Requests lost by flows that it concerns, and how many these are. */
  readonly concerned: number;
  readonly lostByConcerned: number;
  /** What it should not have done; empty: nothing. */
  readonly faults: readonly string[];
  readonly ms: number;
}

const limitMs = 90_000;
/** An answer so recent counts as one; without any for so long a flow is dark. */
const freshMs = 300;
const darkMs = 1_000;
/** A session's age is counted in seconds by a daemon and by the platform, each by its own clock. */
const clockSlackMs = 3_000;
/** bgpd evaluates a changed route-map a second later: a flow is watched for as long after all is in place. */
const steadyAnswers = 30;
const prefixes = lans.flatMap((lan) => Object.values(lan.prefixes));

export class UnderTraffic {
  readonly #routed: RoutedLab;
  readonly #flows: readonly Flow[];
  readonly #pings: RunningPings;
  /** When each session was established, as far as it was seen first. */
  readonly #established = new Map<string, number>();
  #state: State;

  private constructor(parts: {
    routed: RoutedLab;
    flows: readonly Flow[];
    pings: RunningPings;
    state: State;
  }) {
    this.#routed = parts.routed;
    this.#flows = parts.flows;
    this.#pings = parts.pings;
    this.#state = parts.state;
  }

  static async start(
    routed: RoutedLab,
    of: { readonly flows: readonly FlowModel[]; readonly state: State; readonly intervalMs: number },
  ): Promise<UnderTraffic> {
    const flows = of.flows.map((flow) => ({
      ...flow,
      address: routed.lanAddress(flow.to.client, flow.family),
    }));
    const pairs = flows.map(({ from, to, address }) => ({ from: from.client, to: to.client, address }));
    const pings = await routed.lab.startPings({ pairs, intervalMs: of.intervalMs });
    const traffic = new UnderTraffic({ routed, flows, pings, state: of.state });
    await traffic.#settled();
    await traffic.#sessionFaults(() => true);
    return traffic;
  }

  get state(): State {
    return this.#state;
  }

  stop(): Promise<unknown> {
    return this.#pings.stop();
  }

  /** Makes the change, and waits until everything is as the model says. */
  async make(change: Change): Promise<Effect> {
    const beganMs = performance.now();
    const isOfPeer = change.kind === 'peer detached' || change.kind === 'peer attached';
    const hubsInUse = isOfPeer ? await this.#hubsInUse() : [];
    const before = this.#pings.soFar();
    const peers = await this.#routed.peers();
    const named: string[] = [];
    let answer: unknown;
    for (const step of change.steps) {
      named.push(...sessionsNamed(peers, (await step({ dry_run: true })) as { plan?: Plan }));
      answer = await step({ approve: true });
    }
    const [was, is] = [this.#state, change.after(answer)];
    this.#state = is;
    await this.#settled();
    const lost = lostSince(before, this.#pings.soFar());
    const faults: string[] = [];
    let concerned = 0;
    let lostByConcerned = 0;
    for (const [i, flow] of this.#flows.entries()) {
      const count = lost[i] ?? 0;
      if (isConcerned(flow, { was, is, hubs: hubsInUse[i] ?? [] })) {
        concerned++;
        lostByConcerned += count;
      } else if (count > 0 && routersOf(is, flow) !== null) {
        faults.push(`${flow.from.client} to ${flow.address} lost ${count}`);
      }
    }
    faults.push(...(await this.#sessionFaults((ends) => named.includes(ends))));
    return { kind: change.kind, concerned, lostByConcerned, faults, ms: performance.now() - beganMs };
  }

  /** Commands that all agents have given bgpd so far. */
  async configurations(): Promise<number> {
    let count = 0;
    for (const { name, platform } of this.#routed.lab.plan.hosts) {
      if (platform === null) continue;
      const log = await readFile(agentLog({ plan: this.#routed.lab.plan, name }), 'utf8');
      count += log.split('bgpd was configured').length - 1;
    }
    return count;
  }

  /** All agents die and begin again with the documents that they have: each is applied once more. */
  async applyAgain(): Promise<{ readonly faults: readonly string[]; readonly lost: number }> {
    const { lab } = this.#routed;
    const before = this.#pings.soFar();
    const names = lab.plan.hosts.filter(({ platform }) => platform !== null).map(({ name }) => name);
    for (const name of names) await lab.killAgent(name);
    const beganMs = Date.now();
    for (const name of names) await lab.startAgent(name);
    // Sessions are told at the end of a turn of BGP, so that all have taken their document by then.
    await waitFor({ what: 'every agent to tell its sessions anew', limitMs }, async () => {
      const sessions = [...(await this.#routed.sessions()).values()];
      return sessions.every(({ observed_at: at }) => at !== null && Date.parse(at) > beganMs);
    });
    await this.#settled();
    const lost = lostSince(before, this.#pings.soFar()).reduce((sum, one) => sum + one, 0);
    return { faults: await this.#sessionFaults(() => false), lost };
  }

  /** By which hubs each flow goes, there and back. */
  async #hubsInUse(): Promise<string[][]> {
    return Promise.all(
      this.#flows.map(async (flow) => {
        const [far, near] = routersOf(this.#state, flow) ?? [];
        if (far === undefined || near === undefined) return [];
        const source = this.#routed.lanAddress(flow.from.client, flow.family);
        const hubsUsed = await this.#routed.hubsTowards([
          { edge: near, address: flow.address },
          { edge: far, address: source },
        ]);
        return hubsUsed.filter((hub) => hub !== null);
      }),
    );
  }

  async #settled(): Promise<void> {
    await this.#routed.inSync();
    await this.#routed.established();
    await this.#asDeclared();
    const before = this.#pings.soFar();
    const wait = { what: `${steadyAnswers} more answers for each flow`, limitMs };
    await waitFor(wait, () => {
      const now = this.#pings.soFar();
      return this.#flows.every((flow, i) => {
        const more = (now[i]?.received ?? 0) - (before[i]?.received ?? 0);
        return routersOf(this.#state, flow) === null || more >= steadyAnswers;
      });
    });
    await this.#asDeclared();
  }

  async #asDeclared(): Promise<void> {
    let instead = '';
    const wait = {
      what: 'everything to be as it was declared',
      limitMs,
      pollMs: 100,
      instead: () => instead,
    };
    await waitFor(wait, async () => {
      const wrong = [...this.#wrongFlows(), ...(await this.#wrongHolders())];
      if (wrong.length === 0) wrong.push(...(await this.#wrongConfigs()));
      instead = wrong.join('; ');
      return wrong.length === 0;
    });
  }

  #wrongFlows(): string[] {
    const now = this.#pings.soFar();
    return this.#flows.flatMap((flow, i) => {
      const silentMs = now[i]?.silentMs ?? Number.POSITIVE_INFINITY;
      const isAnswered = routersOf(this.#state, flow) !== null;
      const isRight = isAnswered ? silentMs < freshMs : silentMs > darkMs;
      const said = `${flow.from.client} to ${flow.address} has had no answer for ${Math.round(silentMs)} ms`;
      return isRight ? [] : [said];
    });
  }

  /** Where hubs send what is for each LAN, by WireGuard's own tables. */
  async #wrongHolders(): Promise<string[]> {
    const peers = await this.#routed.peers();
    const known = hubs.filter((name) => this.#state.attached.has(name));
    const wrong = known.map(async (hub) => {
      const holders = await this.#routed.holdersAt(hub, peers);
      return prefixes.flatMap((prefix) => {
        const [is, wanted] = [holders.get(prefix) ?? null, winnerOf(this.#state, prefix)];
        return is === wanted ? [] : [`${hub} sends ${prefix} to ${is}, not to ${wanted}`];
      });
    });
    return (await Promise.all(wrong)).flat();
  }

  /** Commands that applying the document once more would give bgpd. */
  async #wrongConfigs(): Promise<string[]> {
    const wrong = [...(await this.#routed.peers())].map(async ([name, { id }]) => {
      const { config } = await this.#routed.call(routingActions.getBgpConfigForPeer, { peer_id: id });
      const commands = frrDiff(await this.#routed.runningConfig(name), config);
      const said = `bgpd of ${name} would be told ${commands.join(', ').slice(0, 300)}`;
      return commands.length === 0 ? [] : [said];
    });
    return (await Promise.all(wrong)).flat();
  }

  /** Sessions that began anew although nobody may do so but those. */
  async #sessionFaults(mayBegin: (ends: string) => boolean): Promise<string[]> {
    const sessions = await this.#routed.sessions();
    const nowMs = Date.now();
    const faults: string[] = [];
    for (const [ends, { uptime_seconds: seconds, last_error: why }] of sessions) {
      const atMs = nowMs - (seconds ?? 0) * 1000;
      const before = this.#established.get(ends);
      if (before === undefined || mayBegin(ends)) this.#established.set(ends, atMs);
      else if (atMs > before + clockSlackMs) {
        faults.push(
          `the session ${ends} is ${seconds} s old, not ${Math.round((nowMs - before) / 1000)} s (${why})`,
        );
        this.#established.set(ends, atMs);
      }
    }
    for (const ends of this.#established.keys()) {
      if (sessions.has(ends)) continue;
      this.#established.delete(ends);
      if (!mayBegin(ends)) faults.push(`the session ${ends} is gone`);
    }
    return faults;
  }
}

/** The sessions that a plan says will end, by `<peer> <neighbor>`: all of them, or those of neighbors that it removes. */
function sessionsNamed(peers: ReadonlyMap<string, Peer>, { plan }: { readonly plan?: Plan }): string[] {
  const names = [...peers.keys()];
  if (plan?.notes?.some(({ code }) => code === 'sessions_end') === true) {
    return names.flatMap((one) => names.map((other) => `${one} ${other}`));
  }
  return (plan?.nodes ?? []).flatMap(({ hostname, changes }) =>
    changes.flatMap(({ op, key }) => {
      const [kind, , id] = key.split('/');
      const neighbor = [...peers.values()].find((peer) => peer.id === id)?.hostname;
      if (op !== 'remove' || kind !== 'bgp_neighbor' || neighbor === undefined) return [];
      return [`${hostname} ${neighbor}`, `${neighbor} ${hostname}`];
    }),
  );
}

function lostSince(before: readonly PingsSoFar[], now: readonly PingsSoFar[]): number[] {
  return now.map(({ lost }, i) => lost - (before[i]?.lost ?? 0));
}

function isConcerned(
  flow: FlowModel,
  of: { readonly was: State; readonly is: State; readonly hubs: readonly string[] },
): boolean {
  const { was, is } = of;
  const [before, after] = [routersOf(was, flow), routersOf(is, flow)];
  if (before === null && after === null) return false;
  if (before === null || after === null || before.join() !== after.join()) return true;
  if (was.asNumber !== is.asNumber) return true;
  if (of.hubs.some((hub) => !is.attached.has(hub))) return true;
  // A hub that comes takes its share of the flows that go by hubs.
  if (of.hubs.length > 0 && hubs.some((hub) => is.attached.has(hub) && !was.attached.has(hub))) return true;
  // Osaka is behind a symmetric NAT: all others meet without a hub where they may.
  return was.directPaths !== is.directPaths && ![flow.from.name, flow.to.name].includes('osaka');
}
