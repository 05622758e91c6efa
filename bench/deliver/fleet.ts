// Writes a fleet of enrolled machines and two networks into the database of a platform that does not run: real
// certificates of its own authority, and rows as enrolment and attach_peer leave them. Through the real enrolment
// 5,000 machines would take minutes, and delivery cannot tell the difference.
//
// Reaches into the platform by path: its package exports nothing but its program, and that is right for a product.
import { generateKeyPairSync, randomBytes } from 'node:crypto';
import { appendFile, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { hostNumberFirst, listenPortFirst, overlayMtuDefault } from '@powernode/core/limits/overlay';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { NodeCredentials } from '../../packages/platform/deliver/simulated-node.ts';
import { openStore, type Store } from '../../packages/platform/store/open-store.ts';
import { inAccount, inPlatform, type Work } from '../../packages/platform/store/tenancy.ts';
import type { Authority } from '../../packages/platform/trust/authority.ts';
import { openAuthority } from '../../packages/platform/trust/authority-store.ts';
import { systemClock } from '../../packages/platform/trust/clock.ts';
import { openSealKey } from '../../packages/platform/trust/seal-key.ts';

export interface FleetSize {
  readonly machines: number;
  /** The first so many are in the mesh too. */
  readonly meshed: number;
}

export interface Member {
  readonly instanceId: string;
  readonly peerId: string;
}

export interface Fleet {
  readonly accountId: string;
  /** A full mesh of peers that can all be called. */
  readonly mesh: { readonly networkId: string; readonly members: readonly Member[] };
  /** Hubs and spokes, of all machines; the first `hubs` of them are the hubs. */
  readonly star: { readonly networkId: string; readonly members: readonly Member[]; readonly hubs: number };
  /** Where the credentials of all machines are, in the order of the fleet. */
  readonly credentialsFile: string;
  /** Where a certificate is for a listener that these machines trust (`ServerFiles`). */
  readonly serverFile: string;
}

export interface ServerFiles {
  readonly certificatePem: string;
  readonly keyPem: string;
  readonly authorityPem: string;
}

const hubs = 2;
/** Rows of one insert: PostgreSQL takes 65,535 parameters, a row here has fewer than 20. */
const rowsAtOnce = 1000;

export async function writeFleet(dataDir: string, size: FleetSize): Promise<Fleet> {
  const log = pino({ level: 'silent' });
  const store = await openStore({ dataDir, databaseUrl: null, log });
  try {
    const sealKey = await openSealKey({ dataDir, sealKey: null });
    const authority = await openAuthority({ kind: 'nodes', store, sealKey, clock: systemClock });
    const { id: accountId } = await inPlatform(store, (trx) =>
      trx.selectFrom('accounts').select('id').executeTakeFirstOrThrow(),
    );
    const machines = await makeMachines(authority, { accountId, count: size.machines });
    const credentialsFile = path.join(dataDir, 'bench-machines.json');
    await writeSecret(
      credentialsFile,
      machines.map(({ credentials }) => credentials),
    );
    const serverFile = path.join(dataDir, 'bench-server.json');
    await writeSecret(serverFile, await serverFiles(authority));
    const place = { store, accountId };
    await insertInstances(place, machines);
    const mesh = await insertNetwork(place, { number: 1, strategy: 'full_mesh' });
    const star = await insertNetwork(place, { number: 2, strategy: 'hub_and_spoke' });
    const meshed = machines.slice(0, size.meshed);
    return {
      accountId,
      mesh: { ...mesh, members: await insertPeers(place, meshed, { ...mesh, number: 1, hubs: size.meshed }) },
      star: { ...star, members: await insertPeers(place, machines, { ...star, number: 2, hubs }), hubs },
      credentialsFile,
      serverFile,
    };
  } finally {
    await store.close();
    // Only to measure: the moment of every commit can be asked for afterwards.
    await appendFile(path.join(dataDir, 'postgres', 'postgresql.auto.conf'), 'track_commit_timestamp = on\n');
  }
}

async function serverFiles(authority: Authority): Promise<ServerFiles> {
  const { chainPem, privateKey } = await authority.issueServerCertificate({ hosts: ['127.0.0.1'] });
  return { certificatePem: chainPem, keyPem: privateKey.reveal(), authorityPem: authority.certificatePem };
}

function writeSecret(file: string, value: unknown): Promise<void> {
  return writeFile(file, JSON.stringify(value), { mode: 0o600 });
}

interface MadeMachine {
  readonly instanceId: string;
  readonly serial: string;
  readonly expiresAt: Date;
  readonly credentials: NodeCredentials;
}

async function makeMachines(
  authority: Authority,
  of: { readonly accountId: string; readonly count: number },
): Promise<MadeMachine[]> {
  const machines: MadeMachine[] = [];
  for (let i = 0; i < of.count; i++) {
    const instanceId = uuidv7();
    const { publicKey, privateKey } = generateKeyPairSync('ed25519');
    const issued = await authority.issueInstanceCertificate({
      accountId: of.accountId,
      instanceId,
      publicKey: publicKey.export({ type: 'spki', format: 'der' }),
    });
    const keyPem = privateKey.export({ type: 'pkcs8', format: 'pem' }).toString();
    const credentials = { keyPem, certificatePem: issued.pem, authorityPem: authority.certificatePem };
    machines.push({ instanceId, serial: issued.serial, expiresAt: issued.expiresAt, credentials });
  }
  return machines;
}

interface Place {
  readonly store: Pick<Store, 'db'>;
  readonly accountId: string;
}

function within<T>({ store, accountId }: Place, work: Work<T>): Promise<T> {
  return inAccount(store, accountId, work);
}

async function insertInstances(place: Place, machines: readonly MadeMachine[]): Promise<void> {
  const rows = machines.map((machine, i) => ({
    id: machine.instanceId,
    account_id: place.accountId,
    hostname: `machine-${i}`,
    status: 'running' as const,
    provider: 'joined',
    tags: '[]',
    addresses: '[]',
    agent_version: 'simulated',
    subsystems: '[]',
    certificate_serial: machine.serial,
    certificate_expires_at: machine.expiresAt,
  }));
  for (const some of chunks(rows)) {
    await within(place, (trx) =>
      trx
        .insertInto('instances')
        .values([...some])
        .execute(),
    );
  }
}

type Strategy = 'full_mesh' | 'hub_and_spoke';

async function insertNetwork(
  place: Place,
  { number, strategy }: { readonly number: number; readonly strategy: Strategy },
): Promise<{ readonly networkId: string }> {
  const networkId = uuidv7();
  await within(place, (trx) =>
    trx
      .insertInto('networks')
      .values({
        id: networkId,
        account_id: place.accountId,
        name: strategy,
        description: '',
        handle: `bench${number}`,
        prefix: prefixOf(number, '/64'),
        routing_mode: 'static',
        topology_strategy: strategy,
        firewall_default_policy: 'accept',
        mtu: overlayMtuDefault,
        host_number_highest: 1_000_000,
      })
      .execute(),
  );
  return { networkId };
}

function prefixOf(number: number, rest: string): string {
  return `fd00:be:c:${number}::${rest}`;
}

async function insertPeers(
  place: Place,
  machines: readonly MadeMachine[],
  network: { readonly networkId: string; readonly number: number; readonly hubs: number },
): Promise<Member[]> {
  const { number } = network;
  const rows = machines.map((machine, i) => {
    const isHub = i < network.hubs;
    const endpoint = isHub ? publicEndpoint({ machine: i, network: number }) : null;
    return {
      id: uuidv7(),
      account_id: place.accountId,
      network_id: network.networkId,
      instance_id: machine.instanceId,
      host_address: prefixOf(number, (Number(hostNumberFirst) + i).toString(16)),
      public_key: randomKey(),
      publicly_reachable: isHub ? true : null,
      endpoint_addresses: JSON.stringify(endpoint === null ? [] : [endpoint]),
      endpoint,
      listen_port: listenPortFirst + number,
      hub_slot: isHub ? i + 1 : null,
      tags: '[]',
      attached_sequence: 0,
    };
  });
  for (const some of chunks(rows)) {
    await within(place, (trx) =>
      trx
        .insertInto('peers')
        .values([...some])
        .execute(),
    );
  }
  return rows.map((row) => ({ instanceId: row.instance_id, peerId: row.id }));
}

/** Of the documentation's prefix: nobody is there, and nobody looks. */
export function publicEndpoint(place: { readonly machine: number; readonly network: number }): string {
  return `[2001:db8::${(place.machine + 1).toString(16)}]:${listenPortFirst + place.network}`;
}

/** WireGuard keys are any 32 bytes to the platform. */
export function randomKey(): string {
  return randomBytes(32).toString('base64');
}

function* chunks<T>(rows: readonly T[]): Iterable<readonly T[]> {
  for (let at = 0; at < rows.length; at += rowsAtOnce) yield rows.slice(at, at + rowsAtOnce);
}
