// Test support: the network of network-scene.fixture.ts with the same LAN behind two of its peers, and what nodes report of
// their sessions.
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { BgpSessionObservation } from '@powernode/core/wire/node-stream';
import { BgpSessions } from '../../../deliver/reports/bgp-sessions.ts';
import { type Body, NetworkScene, openNetwork } from '../network-scene.fixture.ts';

export const lan = 'fd00:abcd:1:cafe::/96';

export class RoutingScene extends NetworkScene {
  static async make(): Promise<RoutingScene> {
    const scene = new RoutingScene(await openNetwork());
    await scene.declare('a', 100);
    await scene.declare('b', 100);
    return scene;
  }

  /** That the LAN is behind the machine. */
  readonly declare = (hostname: string, preference: number): Promise<Body> => {
    const subnets = [{ prefix: lan, preference }];
    return this.run('declareLanSubnets', { peer_id: this.idOf(hostname), subnets });
  };

  readonly sessions = async (): Promise<BgpSession[]> => {
    const answer = await this.run<{ sessions: BgpSession[] }>('getBgpSessions', {
      network_id: this.networkId,
    });
    return answer.sessions;
  };

  readonly sessionOf = async (hostname: string): Promise<BgpSession | undefined> =>
    (await this.sessions()).find((one) => one.hostname === hostname);

  /** As a node of this process reports them. */
  readonly reported = async (
    hostname: string,
    said: readonly Partial<BgpSessionObservation>[],
  ): Promise<void> => {
    const reports = new BgpSessions(await this.reportTools());
    const idle: BgpSessionObservation = {
      ...{ network_id: this.networkId, peer_id: this.idOf('hub'), state: null },
      ...{ established_at: null, prefixes_received: 0, last_error: null },
    };
    reports.observed(
      this.nodeOf(hostname),
      said.map((one) => ({ ...idle, state: 'Idle', ...one })),
    );
    await reports.flush();
  };

  /** Events of sessions. */
  readonly kinds = async (): Promise<object[]> => {
    const { events } = await this.run<{ events: { kind: string; payload: object }[] }>('recentEvents', {
      kind_prefix: 'sdwan.bgp.session',
    });
    return events.map(({ kind, payload }) => ({ kind, ...payload }));
  };
}
