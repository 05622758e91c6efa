// What tests of grants and devices stand on: a platform, a network with two hubs, and short ways to ask.
import { randomBytes } from 'node:crypto';
import type { AccessGrant, UserDevice } from '@powernode/core/intent/user-device';
import { pino } from 'pino';
import { inPlatform } from '../../../store/tenancy.ts';
import { startTestPlatform, type TestPlatform } from '../../../testing/test-platform.ts';
import { type Bootstrap, createBootstrap } from './bootstrap.ts';

export type Grant = AccessGrant & { readonly bootstrap_url: string };
export type Device = UserDevice & { readonly config: string };

/** WireGuard keys are any 32 bytes to the platform: it never sees the private half. */
export const key = () => randomBytes(32).toString('base64');
export const secretOf = (grant: Grant) => new URL(grant.bootstrap_url).hash.slice(1);

/** The code that something fails with, or none. */
export const code = (of: Promise<unknown>): Promise<string> =>
  of.then(
    () => 'none',
    (error: { code?: string }) => error.code ?? 'without a code',
  );

export class DeviceScene {
  readonly platform: TestPlatform;
  readonly bootstrap: Bootstrap;
  networkId = '';
  /** Peers. */
  hubIds: string[] = [];
  counter = 0;
  #guesser = 0;

  static async start(): Promise<DeviceScene> {
    return new DeviceScene(await startTestPlatform());
  }

  constructor(platform: TestPlatform) {
    this.platform = platform;
    this.bootstrap = createBootstrap({ ...platform, log: pino({ level: 'silent' }) });
  }

  /** A network of its own for the next test. */
  async renew(): Promise<void> {
    this.counter++;
    const { network } = await this.run<{ network: { id: string } }>('createNetwork', {
      name: `office ${this.counter}`,
    });
    this.networkId = network.id;
    this.hubIds = [await this.#attachHub('hub', '203.0.113'), await this.#attachHub('second', '198.51.100')];
  }

  async #attachHub(name: string, block: string): Promise<string> {
    const { accountId } = this.platform.admin;
    const publicAddress = `${block}.${this.counter}`;
    const machine = await this.platform.addMachine(accountId, `${name}-${this.counter}`, { publicAddress });
    const { peer } = await this.run<{ peer: { id: string } }>('attachPeer', {
      network_id: this.networkId,
      node_instance_id: machine,
    });
    return peer.id;
  }

  async run<Answer>(action: Parameters<TestPlatform['call']>[0], input: object): Promise<Answer> {
    return (await this.platform.call(action, input)) as unknown as Answer;
  }

  async makeGrant(more: object = {}): Promise<Grant> {
    const answer = await this.run<{ access_grant: Grant }>('createAccessGrant', {
      network_id: this.networkId,
      device_name_hint: 'phone',
      ...more,
    });
    return answer.access_grant;
  }

  async backdate(grantId: string): Promise<void> {
    await inPlatform(this.platform.store, (trx) =>
      trx
        .updateTable('access_grants')
        .set({ expires_at: new Date(Date.now() - 1) })
        .where('id', '=', grantId)
        .execute(),
    );
  }

  async issue(grant: Grant, more: object = {}): Promise<Device> {
    const answer = await this.run<{ user_device: Device }>('issueUserDevice', {
      network_id: this.networkId,
      access_grant_id: grant.id,
      public_key: key(),
      ...more,
    });
    return answer.user_device;
  }

  async getDevice(id: string): Promise<Device> {
    return (await this.run<{ user_device: Device }>('getUserDevice', { user_device_id: id })).user_device;
  }

  /** An address from which nothing has come yet. */
  freshSource(): string {
    return `192.0.2.${++this.#guesser}`;
  }

  inspect(token: string) {
    return this.bootstrap.inspect({ token, source: this.freshSource() });
  }

  /** As the page does it. */
  fetchThrough(
    grant: Grant,
    more: { readonly publicKey?: string; readonly name?: string; readonly idempotencyKey?: string } = {},
  ) {
    return this.bootstrap.issue({
      token: secretOf(grant),
      source: this.freshSource(),
      publicKey: more.publicKey ?? key(),
      name: more.name ?? null,
      idempotencyKey: more.idempotencyKey,
      correlationId: 'test',
    });
  }

  async events(kind: string): Promise<{ actor: { kind: string; name: string }; payload: never }[]> {
    const answer = await this.run<{ events: never[] }>('recentEvents', { kind_prefix: kind, limit: 5 });
    return answer.events;
  }
}
