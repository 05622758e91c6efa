// What an operator changes while packets flow: a machine comes and goes, a rule, a virtual IP, a key. After each of them
// every node is connected and has what it should.
import { firewallActions } from '@powernode/core/actions/firewall';
import { fleetActions } from '@powernode/core/actions/fleet';
import { sdwanActions } from '@powernode/core/actions/sdwan';
import { virtualIpActions } from '@powernode/core/actions/virtual-ips';
import { pageSizeMax } from '@powernode/core/limits/requests';
import type { Call } from '../../../packages/lab/fleet/api.ts';
import type { Lab } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';

const limitMs = 60_000;
const pollMs = 100;

export class Changes {
  readonly #lab: Lab;
  /** The machine that comes and goes. */
  readonly #guest: string;
  /** How many changes every node had taken. */
  count = 0;

  constructor(lab: Lab, guest: string) {
    this.#lab = lab;
    this.#guest = guest;
  }

  /** Calling what it answers with detaches it again. */
  async attachGuest(): Promise<() => Promise<void>> {
    const { call, peer } = await this.#attachGuest();
    return () => this.#detach(call, peer.id);
  }

  async #attachGuest() {
    const call = await this.#lab.platform('main');
    const { networks } = await call(sdwanActions.listNetworks, {});
    const network_id = networks[0]?.id ?? '';
    const { instances } = await call(fleetActions.listInstances, { limit: pageSizeMax });
    const node_instance_id = instances.find(({ hostname }) => hostname === this.#guest)?.id ?? '';
    const { peer } = await call(sdwanActions.attachPeer, {
      network_id,
      node_instance_id,
      publicly_reachable: false,
    });
    await this.taken();
    return { call, network_id, peer };
  }

  async #detach(call: Call, peer_id: string): Promise<void> {
    await call(sdwanActions.detachPeer, { peer_id, approve: true });
    await this.taken();
  }

  /** One of each, and all of them undone. */
  async round(): Promise<void> {
    const { call, network_id, peer } = await this.#attachGuest();
    const { firewall_rule: rule } = await call(firewallActions.createFirewallRule, {
      network_id,
      direction: 'ingress',
      action: 'accept',
      selector: { kind: 'peer', peer_id: peer.id },
      protocol: 'tcp',
      port_range: '8080',
    });
    await this.taken();
    await this.#virtualIp(call, network_id);
    await call(sdwanActions.rotatePeerKey, { peer_id: peer.id });
    await this.taken();
    await call(firewallActions.deleteFirewallRule, { firewall_rule_id: rule.id, approve: true });
    await this.taken();
    await this.#detach(call, peer.id);
  }

  /** Made, answered for by its holder, and deleted. */
  async #virtualIp(call: Call, network_id: string): Promise<void> {
    const { peers } = await call(sdwanActions.listPeers, { network_id, limit: pageSizeMax });
    const idOf = (host: string) => peers.find(({ hostname }) => hostname === host)?.id ?? '';
    const { virtual_ip } = await call(virtualIpActions.createVirtualIp, {
      network_id,
      name: `address-${this.count}`,
      primary_holder_peer_id: idOf('edge1'),
      failover_holder_peer_ids: [idOf('edge2')],
    });
    await this.taken();
    await waitFor({ what: `an answer of ${virtual_ip.address}`, limitMs, pollMs }, async () => {
      const args = ['-n', '-c', '1', '-W', '1', virtual_ip.address];
      return (await this.#lab.exec('edge3', { program: 'ping', args })).exitCode === 0;
    });
    await call(virtualIpActions.deleteVirtualIp, { virtual_ip_id: virtual_ip.id, approve: true });
    await this.taken();
  }

  /** Every machine is connected and is what it should be. */
  async taken(): Promise<void> {
    const call = await this.#lab.platform('main');
    const { length } = this.#lab.plan.hosts;
    await waitFor({ what: 'every node to be connected and in sync', limitMs, pollMs }, async () => {
      const { instances } = await call(fleetActions.listInstances, { limit: pageSizeMax });
      return instances.length === length && instances.every((one) => one.connected && one.in_sync);
    });
    this.count++;
  }
}
