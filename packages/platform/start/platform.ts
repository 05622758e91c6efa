// Puts the platform together: each part made once, given what it needs, and ended in the opposite order.
import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProductError } from '@powernode/core/errors';
import { approvalSweepMs } from '@powernode/core/limits';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createAuthenticate } from '../access/authenticate.ts';
import { expireApprovals } from '../actions/autonomy/expire.ts';
import type { Services } from '../actions/context.ts';
import { createGate } from '../actions/gate/invoke.ts';
import { followObserved } from '../actions/gate/of-its-own.ts';
import { handlers } from '../actions/handlers.ts';
import { createBootstrap } from '../actions/sdwan/devices/bootstrap.ts';
import { followDirectPlace } from '../actions/sdwan/observed-direct.ts';
import { followObservation } from '../actions/sdwan/observed-machine.ts';
import { createVirtualIpControl, type VirtualIpControl } from '../autonomy/virtual-ips/control.ts';
import { sharedLeadership, soleLeadership } from '../autonomy/virtual-ips/leadership.ts';
import type { Settings } from '../config/settings.ts';
import { createDelivery, type Delivery } from '../deliver/delivery.ts';
import { type EventBus, inProcessBus } from '../events/event-bus.ts';
import { redisBus } from '../events/redis-bus.ts';
import { createMetrics } from '../observe/metrics.ts';
import { openStore, type Store } from '../store/open-store.ts';
import { inAccount, inPlatform } from '../store/tenancy.ts';
import { createHttpApp } from '../surfaces/http/app.ts';
import { sourceOf } from '../surfaces/http/environment.ts';
import { createEventStreams } from '../surfaces/http/event-stream.ts';
import { limitedAuthenticate } from '../surfaces/http/rate-limit.ts';
import { mcpSurface } from '../surfaces/mcp/surface.ts';
import type { Authority } from '../trust/authority.ts';
import { openAuthority } from '../trust/authority-store.ts';
import { systemClock } from '../trust/clock.ts';
import type { SealKey } from '../trust/seal.ts';
import { openSealKey } from '../trust/seal-key.ts';
import { makeApiToken, makeBootstrapToken, makeJoinToken } from '../trust/tokens.ts';
import { platformVersion } from '../version.ts';
import { adminTokenFile, ensureFirstAdministrator } from './first-administrator.ts';
import { listenForOperators, namesOf } from './operator-listener.ts';
import { openSharedSecret } from './shared-secret.ts';

export interface RunningPlatform {
  /** Where operators reach it. */
  readonly url: string;
  readonly nodeUrl: string;
  readonly adminTokenPath: string;
  /** The authority to trust at `url`; null where it is plain or has a certificate of one's own. */
  readonly authorityPath: string | null;
  /** Settles when something that it cannot go on without is gone for good. */
  readonly lost: Promise<ProductError>;
  readonly close: () => Promise<void>;
}

const alphabet = 'abcdefghijklmnopqrstuvwxyz0123456789';

export async function startPlatform(settings: Settings, log: Logger): Promise<RunningPlatform> {
  const closers: (() => Promise<void>)[] = [];
  const close = async () => {
    for (const end of closers.splice(0).reverse()) await end();
  };
  try {
    return await start({ settings, log, closers, close });
  } catch (error) {
    await close();
    throw error;
  }
}

interface Starting {
  readonly settings: Settings;
  readonly log: Logger;
  readonly closers: (() => Promise<void>)[];
  readonly close: () => Promise<void>;
}

async function start({ settings, log, closers, close }: Starting): Promise<RunningPlatform> {
  const { dataDir, databaseUrl } = settings;
  await mkdir(dataDir, { recursive: true, mode: 0o700 });
  const store = await openStore({ dataDir, databaseUrl, log });
  closers.push(() => store.close());
  const sealKey = await openSealKey({ dataDir, sealKey: settings.sealKey });
  const trust = { store, sealKey, clock: systemClock };
  const authority = await openAuthority({ ...trust, kind: 'nodes' });
  const operatorAuthority = await openAuthority({ ...trust, kind: 'operators' });
  const bus = await openBus(settings, log);
  closers.push(() => bus.close());
  const late: Late = { services: null, url: '' };
  const delivery = await openDelivery({ store, bus, authority, log, late });
  closers.push(() => delivery.close());
  const virtualIps = openVirtualIps({ store, bus, delivery, log, late });
  closers.push(() => virtualIps.close());
  const services = createServices({ delivery, virtualIps, authority, settings, late });
  late.services = services;
  await ensureFirstAdministrator({ store, services, dataDir });
  const authorityPath = path.join(dataDir, 'authority.pem');
  await writeFile(authorityPath, operatorAuthority.certificatePem, { mode: 0o644 });
  await virtualIps.start();
  const node = await delivery.listen({ host: settings.nodeHost, port: settings.nodePort });
  const app = await createSurface({ settings, log, store, bus, sealKey, delivery, services, closers });
  const listener = await listenForOperators({ settings, authority: operatorAuthority, app, log });
  closers.push(() => listener.close());
  const { url } = listener;
  late.url = url;
  const sweep = setInterval(() => {
    void expireApprovals({ store, bus, now: services.now }).catch((error: unknown) =>
      log.warn({ err: error }, 'approvals could not be swept'),
    );
  }, approvalSweepMs);
  closers.push(async () => clearInterval(sweep));
  await store.announce(url);
  log.info({ url, node_url: settings.nodeUrl, node_port: node.port }, 'the platform is up');
  return {
    url,
    nodeUrl: settings.nodeUrl,
    adminTokenPath: path.join(dataDir, adminTokenFile),
    authorityPath: url.startsWith('https:') && settings.tls === null ? authorityPath : null,
    lost: store.lost,
    close,
  };
}

function openBus(settings: Settings, log: Logger): Promise<EventBus> | EventBus {
  const onListenerError = (error: unknown) => log.error({ err: error }, 'a listener of the event bus failed');
  if (settings.redisUrl === null) return inProcessBus(onListenerError);
  return redisBus({ url: settings.redisUrl, log, processId: uuidv7(), onListenerError });
}

/** What parts that are made early need of those that are made later. */
interface Late {
  services: Services | null;
  /** Where operators reach the platform. */
  url: string;
}

interface DeliveryParts {
  readonly store: Store;
  readonly bus: EventBus;
  readonly authority: Authority;
  readonly log: Logger;
  readonly late: Late;
}

function openDelivery({ late, ...parts }: DeliveryParts): Promise<Delivery> {
  const { store, bus } = parts;
  const observed = () => ({ store, bus, services: late.services });
  return createDelivery({
    ...parts,
    clock: systemClock,
    platformVersion,
    onObserved: (machine) =>
      followObserved(observed(), machine.accountId, (trx) => followObservation(trx, machine)),
    onDirectPlace: (place) => inAccount(store, place.accountId, (trx) => followDirectPlace(trx, place)),
  });
}

function openVirtualIps(parts: Omit<DeliveryParts, 'authority'> & { readonly delivery: Delivery }) {
  const { store, log, late } = parts;
  const steady = () => performance.now();
  // The embedded database has one user; another one may have several platforms.
  const leadership =
    store.kind === 'embedded'
      ? soleLeadership()
      : sharedLeadership({ store, clock: systemClock, log, steady, processId: uuidv7() });
  return createVirtualIpControl({
    ...parts,
    leadership,
    clock: systemClock,
    services: () => {
      if (late.services === null) throw new Error('virtual IPs are followed before there are services');
      return late.services;
    },
  });
}

function createServices(parts: {
  readonly delivery: Delivery;
  readonly virtualIps: VirtualIpControl;
  readonly authority: Authority;
  readonly settings: Settings;
  readonly late: Readonly<Late>;
}): Services {
  return {
    deliverer: parts.delivery,
    virtualIps: parts.virtualIps,
    now: () => new Date(),
    newId: uuidv7,
    newApiToken: makeApiToken,
    newJoinToken: () => makeJoinToken(parts.authority.fingerprint()),
    newBootstrapToken: makeBootstrapToken,
    randomName: (length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''),
    randomPoolBits: () => BigInt(`0x${randomBytes(5).toString('hex')}`),
    nodeUrl: () => parts.settings.nodeUrl,
    consoleUrl: () => parts.settings.consoleUrl ?? parts.late.url,
    platformVersion,
  };
}

interface SurfaceParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly store: Store;
  readonly bus: EventBus;
  readonly sealKey: SealKey;
  readonly delivery: Delivery;
  readonly services: Services;
  readonly closers: (() => Promise<void>)[];
}

async function createSurface(parts: SurfaceParts) {
  const { settings, log, store, bus, sealKey, delivery, services, closers } = parts;
  const sealer = {
    seal: (purpose: string, plain: string) => sealKey.seal({ purpose, secret: Buffer.from(plain) }),
    open: (purpose: string, sealed: string) => sealKey.open({ purpose, sealed }).toString('utf8'),
  };
  const invoke = createGate({ store, bus, services, handlers, sealer });
  const authenticate = limitedAuthenticate(createAuthenticate({ store, now: services.now }), Date.now);
  const streams = createEventStreams({ store, bus });
  const mcp = mcpSurface({
    invoke,
    authenticate,
    log,
    version: platformVersion,
    allowedHosts: namesOf(settings),
    questionKey: await openSharedSecret({ store, sealKey, name: 'mcp_question_key' }),
    sourceOf: (context) => sourceOf(context as never),
    newId: services.newId,
  });
  const metrics = createMetrics({
    connectedNodes: () => delivery.connectedCount(),
    eventStreams: () => streams.count(),
    deliveryCounters: () => delivery.counters(),
    onDelivered: (observe) => delivery.onBatch(observe),
  });
  closers.push(() => mcp.close());
  return createHttpApp({
    invoke,
    authenticate,
    bootstrap: createBootstrap({ store, bus, services, log }),
    streams,
    mcp,
    metrics,
    ready: () => inPlatform(store, async (trx) => void (await sql`select 1`.execute(trx))),
    newId: services.newId,
    log,
    version: platformVersion,
    nodeUrl: services.nodeUrl,
    consoleDirectory: path.join(import.meta.dirname, '..', '..', 'console', 'dist'),
  });
}
