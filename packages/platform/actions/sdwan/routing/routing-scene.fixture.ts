// A network that speaks BGP, of a hub and three spokes of which two are in front of the same LAN, with what nodes report of
// their sessions.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import { ProductError, problemOf } from '@powernode/core/errors';
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { Peer } from '@powernode/core/intent/peer';
import type { Observed } from '@powernode/core/wire/node-stream';
import { pino } from 'pino';
import { BgpSessions } from '../../../deliver/reports/bgp-sessions.ts';
import { inAccount } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { systemClock } from '../../../trust/clock.ts';
import { loadFleet } from '../../load-fleet.ts';

export const lan = 'fd00:abcd:1:cafe::/96';

type Body = Record<string, never> & Record<string, unknown>;

export class RoutingScene {
  readonly platform: TestPlatform;
  readonly #peers = new Map<string, Peer>();
  #networkId = '';

  private constructor(platform: TestPlatform) {
    this.platform = platform;
  }

  static async make(): Promise<RoutingScene> {
    const scene = new RoutingScene(await startTestPlatform());
    await scene.#fill();
    return scene;
  }

  async #fill(): Promise<void> {
    const { platform } = this;
    const network = { name: 'tokyo', routing_mode: 'ibgp' };
    this.#networkId = (await this.run<{ network: { id: string } }>('createNetwork', network)).network.id;
    const { accountId } = platform.admin;
    for (const [hostname, publicAddress] of [['hub', '203.0.113.1'], ['a'], ['b'], ['c']] as const) {
      const facts = publicAddress === undefined ? {} : { publicAddress };
      const node_instance_id = await platform.addMachine(accountId, hostname, facts);
      const place = { network_id: this.#networkId, node_instance_id };
      this.#peers.set(hostname, (await this.run<{ peer: Peer }>('attachPeer', place)).peer);
    }
    await this.declare('a', 100);
    await this.declare('b', 100);
  }

  get networkId(): string {
    return this.#networkId;
  }

  async run<Answer = Body>(key: ActionKey, input: object): Promise<Answer> {
    return (await this.platform.call(key, input)) as unknown as Answer;
  }

  async refusal(key: ActionKey, input: object): Promise<Record<string, unknown>> {
    try {
      await this.run(key, input);
    } catch (error) {
      if (error instanceof ProductError) return problemOf(error);
      throw error;
    }
    throw new Error('it was not refused');
  }

  idOf(hostname: string): string {
    return this.#peers.get(hostname)?.id ?? '';
  }

  instanceOf(hostname: string): string {
    return this.#peers.get(hostname)?.node_instance_id ?? '';
  }

  /** That the LAN is behind the machine. */
  declare(hostname: string, preference: number): Promise<Body> {
    const subnets = [{ prefix: lan, preference }];
    return this.run('declareLanSubnets', { peer_id: this.idOf(hostname), subnets });
  }

  async sessions(): Promise<BgpSession[]> {
    const answer = await this.run<{ sessions: BgpSession[] }>('getBgpSessions', {
      network_id: this.networkId,
    });
    return answer.sessions;
  }

  async sessionOf(hostname: string): Promise<BgpSession | undefined> {
    return (await this.sessions()).find((one) => one.hostname === hostname);
  }

  /** As a node of this process reports them. */
  async reported(
    hostname: string,
    said: readonly Partial<NonNullable<Observed['bgp_sessions']>[number]>[],
  ): Promise<void> {
    const { platform } = this;
    const node = platform.delivery.node(this.instanceOf(hostname));
    if (node === undefined) throw new Error(`no node ${hostname}`);
    const models = await inAccount(platform.store, platform.admin.accountId, (trx) => loadFleet(trx));
    const fleet = new FleetIndex();
    for (const { network, peers: members, items } of models.values()) {
      fleet.load(network, members.values(), items.values());
    }
    const { store, bus } = platform;
    const log = pino({ level: 'silent' });
    const reports = new BgpSessions({ store, bus, clock: systemClock, log, fleet });
    reports.observed(
      node,
      said.map((one) => ({
        network_id: this.networkId,
        peer_id: this.idOf('hub'),
        state: 'Idle' as const,
        established_at: null,
        prefixes_received: 0,
        last_error: null,
        ...one,
      })),
    );
    await reports.flush();
  }

  /** Events of sessions. */
  async kinds(): Promise<object[]> {
    const { events } = await this.run<{ events: { kind: string; payload: object }[] }>('recentEvents', {
      kind_prefix: 'sdwan.bgp.session',
    });
    return events.map(({ kind, payload }) => ({ kind, ...payload }));
  }
}
