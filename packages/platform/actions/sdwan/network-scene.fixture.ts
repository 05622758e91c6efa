// Test support: a platform over a real database with one network that speaks BGP, of the peers hub, a, b and c, and nodes of
// which a test says what they report.
import type { ActionKey } from '@powernode/core/actions/catalogue';
import { FleetIndex } from '@powernode/core/compile/fleet-index';
import { ProductError, problemOf } from '@powernode/core/errors';
import type { Peer } from '@powernode/core/intent/peer';
import { type Logger, pino } from 'pino';
import type { NodeState } from '../../deliver/nodes/node-state.ts';
import type { ReportTools } from '../../deliver/reports/object-reports.ts';
import { inAccount } from '../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../testing/test-platform.ts';
import { systemClock } from '../../trust/clock.ts';
import { loadFleet } from '../load-fleet.ts';

const silent: Logger = pino({ level: 'silent' });

/** What actions answer that a test looks at without a type. */
export type Body = Record<string, never> & Record<string, unknown>;

interface Parts {
  readonly platform: TestPlatform;
  readonly networkId: string;
  /** By hostname. */
  readonly peers: ReadonlyMap<string, Peer>;
}

export async function openNetwork(): Promise<Parts> {
  const platform = await startTestPlatform();
  const call = async <Answer>(key: ActionKey, input: object) =>
    (await platform.call(key, input)) as unknown as Answer;
  const { network } = await call<{ network: { id: string } }>('createNetwork', {
    name: 'tokyo',
    routing_mode: 'ibgp',
  });
  const peers = new Map<string, Peer>();
  for (const [hostname, publicAddress] of [['hub', '203.0.113.1'], ['a'], ['b'], ['c']] as const) {
    const facts = publicAddress === undefined ? {} : { publicAddress };
    const node_instance_id = await platform.addMachine(platform.admin.accountId, hostname, facts);
    const place = { network_id: network.id, node_instance_id };
    peers.set(hostname, (await call<{ peer: Peer }>('attachPeer', place)).peer);
  }
  return { platform, networkId: network.id, peers };
}

/** Its members can be used without it. */
export class NetworkScene {
  readonly platform: TestPlatform;
  readonly networkId: string;
  readonly #peers: ReadonlyMap<string, Peer>;

  constructor({ platform, networkId, peers }: Parts) {
    this.platform = platform;
    this.networkId = networkId;
    this.#peers = peers;
  }

  readonly run = async <Answer = Body>(key: ActionKey, input: object): Promise<Answer> =>
    (await this.platform.call(key, input)) as unknown as Answer;

  readonly refusal = async (key: ActionKey, input: object): Promise<Record<string, unknown>> => {
    try {
      await this.run(key, input);
    } catch (error) {
      if (error instanceof ProductError) return problemOf(error);
      throw error;
    }
    throw new Error('it was not refused');
  };

  /** Of the peer. */
  readonly idOf = (hostname: string): string => this.#peers.get(hostname)?.id ?? '';

  readonly instanceOf = (hostname: string): string => this.#peers.get(hostname)?.node_instance_id ?? '';

  nodeOf(hostname: string): NodeState {
    const node = this.platform.delivery.node(this.instanceOf(hostname));
    if (node === undefined) throw new Error(`no node ${hostname}`);
    return node;
  }

  /** What reports of nodes are taken with. */
  async reportTools(): Promise<ReportTools & { readonly fleet: FleetIndex }> {
    const { store, bus, admin } = this.platform;
    const models = await inAccount(store, admin.accountId, (trx) => loadFleet(trx));
    const fleet = new FleetIndex();
    for (const { network, peers, items } of models.values()) {
      fleet.load(network, peers.values(), items.values());
    }
    return { store, bus, clock: systemClock, log: silent, fleet };
  }
}
