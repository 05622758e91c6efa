// Puts the platform together: each part made once, given what it needs, and ended in the opposite order.

import { randomBytes, randomInt } from 'node:crypto';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import type { ProductError } from '@powernode/core/errors';
import { sql } from 'kysely';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { createAuthenticate } from '../access/authenticate.ts';
import { createStreamRights } from '../access/stream-rights.ts';
import type { Services } from '../actions/context.ts';
import { leaveFleet } from '../actions/fleet/leave-fleet.ts';
import { createGate } from '../actions/gate/invoke.ts';
import { handlers } from '../actions/handlers.ts';
import { loadFleet } from '../actions/load-fleet.ts';
import { nouns } from '../actions/nouns.ts';
import { createBootstrap } from '../actions/sdwan/devices/bootstrap.ts';
import { followDirectEndpoint } from '../actions/sdwan/observed/direct-endpoints.ts';
import { followObservation } from '../actions/sdwan/observed/machine.ts';
import type { FailoverController } from '../autonomy/failover/controller.ts';
import { openFailover } from '../autonomy/failover/open-failover.ts';
import type { Settings } from '../config/settings.ts';
import type { JobFigures } from '../coordination/jobs.ts';
import { Retention } from '../coordination/retention/purge.ts';
import { openLeadership, type StoredLeadership } from '../coordination/stored-leadership.ts';
import { followObserved } from '../coordination/system-actor.ts';
import { createDelivery } from '../deliver/delivery.ts';
import type { Delivery } from '../deliver/delivery-port.ts';
import { type EventBus, inProcessBus } from '../events/event-bus.ts';
import { redisBus } from '../events/redis-bus.ts';
import { installCommand, listenerKey } from '../install/command.ts';
import { createDownloads, type Downloads } from '../install/packages.ts';
import { createMetrics } from '../observe/metrics.ts';
import { storedFigures } from '../observe/stored-figures.ts';
import { openStore, type Store } from '../store/open-store.ts';
import { inPlatform } from '../store/tenancy.ts';
import { createHttpApp } from '../surfaces/http/app.ts';
import { sourceOf } from '../surfaces/http/environment.ts';
import { createEventStreams } from '../surfaces/http/event-stream.ts';
import { limitedAuthenticate } from '../surfaces/http/rate-limit.ts';
import { mcpSurface } from '../surfaces/mcp/surface.ts';
import type { Authority } from '../trust/authority.ts';
import { hasAuthority, openAuthority } from '../trust/authority-store.ts';
import { systemClock } from '../trust/clock.ts';
import type { SealKey } from '../trust/seal.ts';
import { openSealKey } from '../trust/seal-key.ts';
import { makeApiToken, makeBootstrapToken, makeJoinToken } from '../trust/tokens.ts';
import { platformVersion } from '../version.ts';
import { ensureFirstAdministrator, findAdministratorToken } from './first-administrator.ts';
import { startPlatformJobs } from './jobs.ts';
import { listenForMetrics } from './metrics-listener.ts';
import { isPlain, listenForOperators, namesOf } from './operator-listener.ts';
import { ownListeners } from './own-listeners.ts';
import { openSharedSecret } from './shared-secret.ts';

export interface RunningPlatform {
  /** Where operators reach it. */
  readonly url: string;
  readonly nodeUrl: string;
  /** null: the token of this database's first administrator is not here. */
  readonly adminTokenPath: string | null;
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
  const hasSecrets = () => hasAuthority(store);
  const sealKey = await openSealKey({ dataDir, sealKey: settings.sealKey, hasSecrets });
  const trust = { store, sealKey, clock: systemClock };
  const authority = await openAuthority({ ...trust, kind: 'nodes' });
  const operatorAuthority = await openAuthority({ ...trust, kind: 'operators' });
  const bus = await openBus(settings, log);
  closers.push(() => bus.close());
  const late: Late = { services: null, url: '', nodePort: settings.nodePort };
  const delivery = await openDelivery({ store, bus, authority, log, late });
  closers.push(() => delivery.close());
  const processId = uuidv7();
  // The embedded database has one user; another one may have several platforms.
  const isShared = store.kind !== 'embedded';
  const leadership = openLeadership({ store, clock: systemClock, log, processId, isShared });
  const virtualIps = openVirtualIps({ store, bus, delivery, log, late, leadership, processId });
  closers.push(() => virtualIps.close());
  const nodeUrl = () => withPort(settings.nodeUrl, late.nodePort);
  const key = listenerKey(await openSharedSecret({ store, sealKey, name: 'node_listener_key' }));
  const downloads = createDownloads({
    directory: agentPackages,
    nodeUrl,
    pin: key.pin,
    clock: systemClock,
  });
  const services = createServices({ delivery, virtualIps, authority, settings, late, nodeUrl, pin: key.pin });
  late.services = services;
  await ensureFirstAdministrator({ store, services, dataDir });
  const authorityPath = path.join(dataDir, 'authority.pem');
  await writeFile(authorityPath, operatorAuthority.certificatePem, { mode: 0o644 });
  await virtualIps.start();
  const node = await delivery.listen(
    { host: settings.nodeHost, port: settings.nodePort },
    { downloads, key },
  );
  late.nodePort = node.port;
  const retention = new Retention({ store, settings: settings.retention, now: services.now, log });
  const jobs = startPlatformJobs({ store, bus, services, log, leadership, retention });
  closers.push(() => jobs.stop());
  const parts = { settings, log, store, bus, sealKey, delivery, services, closers };
  const app = await createSurface({
    ...parts,
    downloads,
    jobs: () => [...jobs.figures(), ...delivery.jobs()],
    deletedRows: () => retention.deleted(),
  });
  const listener = await listenForOperators({ settings, authority: operatorAuthority, app, log });
  closers.push(() => listener.close());
  const { url } = listener;
  late.url = url;
  await store.announce(url);
  log.info({ url, node_url: nodeUrl(), node_port: node.port }, 'the platform is up');
  return {
    url,
    nodeUrl: nodeUrl(),
    adminTokenPath: await findAdministratorToken({ store, dataDir }),
    authorityPath: url.startsWith('https:') && settings.tls === null ? authorityPath : null,
    lost: Promise.race([store.lost, delivery.lost]),
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
  /** The one that the listener for nodes has; 0 in the settings takes any. */
  nodePort: number;
}

/** An address that was made of the settings says the port of the settings. */
function withPort(text: string, port: number): string {
  return text.replace(/:0$/, `:${port}`);
}

/** Where the launcher and `powernode agent build` put them. */
const agentPackages = path.join(import.meta.dirname, '..', '..', 'agent', 'dist');

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
    loadFleet,
    onObserved: (machine) =>
      followObserved(observed(), { ...machine, action: 'observed_endpoint' }, (context) =>
        followObservation(context, machine),
      ),
    onDirectEndpoint: async (direct) => {
      const by = { ...direct, action: 'observed_direct_endpoint' } as const;
      const { change } = await followObserved(observed(), by, (context) =>
        followDirectEndpoint(context, direct),
      );
      return change;
    },
    onLeave: (machine) => {
      if (late.services === null) throw new Error('a machine leaves before there are services');
      return leaveFleet({ store, bus, services: late.services }, machine);
    },
  });
}

function openVirtualIps(
  parts: Omit<DeliveryParts, 'authority'> & {
    readonly delivery: Delivery;
    readonly leadership: StoredLeadership;
    readonly processId: string;
  },
) {
  const { late } = parts;
  return openFailover({
    ...parts,
    services: () => {
      if (late.services === null) throw new Error('virtual IPs are followed before there are services');
      return late.services;
    },
  });
}

function createServices(parts: {
  readonly delivery: Delivery;
  readonly virtualIps: FailoverController;
  readonly authority: Authority;
  readonly settings: Settings;
  readonly late: Readonly<Late>;
  readonly nodeUrl: () => string;
  /** Of the node listener's key. */
  readonly pin: string;
}): Services {
  return {
    deliverer: parts.delivery,
    virtualIps: parts.virtualIps,
    nouns,
    now: () => new Date(),
    newId: uuidv7,
    newApiToken: makeApiToken,
    newJoinToken: () => makeJoinToken(parts.authority.fingerprint()),
    newBootstrapToken: makeBootstrapToken,
    randomName: (length) => Array.from({ length }, () => alphabet[randomInt(alphabet.length)]).join(''),
    randomPoolBits: () => BigInt(`0x${randomBytes(5).toString('hex')}`),
    installCommand: (token) => installCommand({ platform: parts.nodeUrl(), pin: parts.pin, token }),
    nodeUrl: parts.nodeUrl,
    consoleUrl: () => parts.settings.consoleUrl ?? parts.late.url,
    listeners: () =>
      ownListeners({
        nodeHost: parts.settings.nodeHost,
        nodePort: parts.late.nodePort,
        operatorHost: parts.settings.host,
        operatorUrl: parts.late.url,
      }),
    platformVersion,
  };
}

/** Time that no clock set by hand moves. */
const steady = () => performance.now();

interface SurfaceParts {
  readonly settings: Settings;
  readonly log: Logger;
  readonly store: Store;
  readonly bus: EventBus;
  readonly sealKey: SealKey;
  readonly delivery: Delivery;
  readonly services: Services;
  readonly downloads: Downloads;
  /** Of the periodic jobs of this process. */
  readonly jobs: () => readonly JobFigures[];
  readonly deletedRows: () => ReadonlyMap<string, number>;
  readonly closers: (() => Promise<void>)[];
}

async function createSurface(parts: SurfaceParts) {
  const { settings, log, store, bus, sealKey, delivery, services, closers } = parts;
  const sealer = {
    seal: (purpose: string, plain: string) => sealKey.seal({ purpose, secret: Buffer.from(plain) }),
    open: (purpose: string, sealed: string) => sealKey.open({ purpose, sealed }).toString('utf8'),
  };
  const invoke = createGate({ store, bus, services, handlers, sealer });
  const authenticate = limitedAuthenticate(createAuthenticate({ store, now: services.now, steady }), steady);
  const streams = createEventStreams({ store, bus });
  const rights = createStreamRights({ store, bus, now: services.now, log });
  closers.push(async () => rights.close());
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
    nodeProblems: () => delivery.problemCounts(),
    eventStreams: () => streams.count(),
    deliveryCounters: () => delivery.counters(),
    onDelivered: (observe) => delivery.onBatch(observe),
    coordination: { jobs: () => [...parts.jobs(), ...rights.jobs()], deletedRows: parts.deletedRows },
    overlay: { ...delivery.figures(), stored: storedFigures({ store, log, now: () => performance.now() }) },
  });
  closers.push(() => mcp.close());
  if (settings.metricsPort !== null) {
    const scraped = await listenForMetrics({ port: settings.metricsPort, metrics, log });
    closers.push(() => scraped.close());
    log.info({ port: scraped.port }, 'metrics are served on loopback');
  }
  return createHttpApp({
    invoke,
    authenticate,
    bootstrap: createBootstrap({ store, bus, services, log, steady }),
    streams,
    rights,
    mcp,
    metrics,
    ready: () => inPlatform(store, async (trx) => void (await sql`select 1`.execute(trx))),
    newId: services.newId,
    log,
    version: platformVersion,
    hosts: isPlain(settings) ? namesOf(settings) : null,
    isSecure: !isPlain(settings),
    nodeUrl: services.nodeUrl,
    downloads: parts.downloads,
    consoleDirectory: path.join(import.meta.dirname, '..', '..', 'console', 'dist'),
  });
}
