// A virtual IP in the services lab with a service on each of its candidates that says which host answers.
import { virtualIpActions } from '@powernode/core/actions/virtual-ips';
import type { HealthCheck, VirtualIp } from '@powernode/core/intent/virtual-ip';
import type { Answer, Questions, Service } from '../lab.ts';
import { waitFor } from '../stage/process.ts';
import type { Services } from './services.ts';

export const servicePort = 7007;
const limitMs = 60_000;

export interface AddressOptions {
  readonly name: string;
  /** Hosts; the first is the primary holder. */
  readonly candidates: readonly string[];
  readonly holdDownSeconds?: number;
  readonly preempt?: boolean;
}

export class MovingAddress {
  readonly virtualIp: VirtualIp;
  readonly candidates: readonly string[];
  readonly #services: Services;
  readonly #running = new Map<string, Service>();

  private constructor(services: Services, virtualIp: VirtualIp, candidates: readonly string[]) {
    this.#services = services;
    this.virtualIp = virtualIp;
    this.candidates = candidates;
  }

  static async create(services: Services, options: AddressOptions): Promise<MovingAddress> {
    const peers = await services.peers();
    const ids = options.candidates.map((host) => peers.get(host)?.id ?? '');
    const [primary = '', ...others] = ids;
    const { virtual_ip } = await services.call(virtualIpActions.createVirtualIp, {
      network_id: services.networkId,
      name: options.name,
      primary_holder_peer_id: primary,
      failover_holder_peer_ids: others,
      hold_down_seconds: options.holdDownSeconds ?? 0,
      preempt: options.preempt ?? false,
    });
    const address = new MovingAddress(services, virtual_ip, options.candidates);
    for (const host of options.candidates) await address.serve(host);
    await address.heldBy((holder) => holder === options.candidates[0]);
    return address;
  }

  get address(): string {
    return this.virtualIp.address;
  }

  /** Again, for a host that was off. */
  async serve(host: string): Promise<void> {
    await this.#services.lab.bindAnywhere(host);
    const at = { address: this.address, port: servicePort };
    this.#running.set(host, await this.#services.lab.serve(host, { tcp: [at], udp: [at] }));
  }

  /** The service on that host ends, and nothing else of it. */
  async stopServing(host: string): Promise<void> {
    await this.#running.get(host)?.end();
    this.#running.delete(host);
  }

  /** Gives it a health check; returns when the one of its holder has succeeded. */
  async check(healthCheck: Pick<HealthCheck, 'protocol' | 'port'>): Promise<void> {
    const named = { virtual_ip_id: this.virtualIp.id };
    await this.#services.call(virtualIpActions.updateVirtualIp, {
      ...named,
      health_check: healthCheck,
      approve: true,
    });
    await waitFor({ what: `the health check of ${this.address} to succeed`, limitMs }, async () => {
      const { virtual_ip } = await this.#services.call(virtualIpActions.getVirtualIp, named);
      return virtual_ip.holders.some(({ health }) => health === 'healthy');
    });
  }

  /** Which host the platform takes for the holder; null: none. */
  async holder(): Promise<string | null> {
    const { virtual_ip } = await this.#services.call(virtualIpActions.getVirtualIp, {
      virtual_ip_id: this.virtualIp.id,
    });
    const peers = await this.#services.peers();
    return [...peers.values()].find(({ id }) => id === virtual_ip.current_holder_peer_id)?.hostname ?? null;
  }

  /** Waits until a holder of that kind answers an observer on it; answers with its name. */
  async heldBy(isMeant: (host: string) => boolean): Promise<string> {
    return waitFor({ what: `another holder of ${this.address}`, limitMs }, async () => {
      const holder = await this.holder();
      return holder !== null && isMeant(holder) && (await this.answersAt(holder)) ? holder : null;
    });
  }

  async answersAt(host: string): Promise<boolean> {
    const args = ['-n', '-c', '1', '-W', '0.3', this.address];
    return (await this.#services.lab.exec(host, { program: 'ping', args })).exitCode === 0;
  }

  /** Asks who answers, from that host. */
  ask(from: string, intervalMs: number): Promise<Questions> {
    return this.#services.lab.startAsking(from, { address: this.address, port: servicePort, intervalMs });
  }

  /** Moves it by hand, unless it is there already. */
  async moveTo(host: string): Promise<void> {
    if ((await this.holder()) !== host) {
      const { id } = await this.#services.peer(host);
      await this.#services.call(virtualIpActions.failoverVirtualIp, {
        virtual_ip_id: this.virtualIp.id,
        target_peer_id: id,
        approve: true,
      });
    }
    await this.heldBy((holder) => holder === host);
  }

  async remove(): Promise<void> {
    for (const service of this.#running.values()) await service.end();
    await this.#services.call(virtualIpActions.deleteVirtualIp, {
      virtual_ip_id: this.virtualIp.id,
      approve: true,
    });
  }
}

/** The first answer of another host than that one, as soon as there is one. */
export function answerOfOther(questions: Questions, than: string): Promise<Answer> {
  return waitFor({ what: `an answer of another host than ${than}`, limitMs, pollMs: 5 }, () =>
    questions.answers.find(({ name }) => name !== than),
  );
}
