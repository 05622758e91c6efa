import { fork } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { randomBytes } from 'node:crypto';
import { pino } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import { sql } from 'kysely';
import { openStore } from '../store/open-store.ts';
import { inAccount, inPlatform } from '../store/tenancy.ts';
import { openAuthority } from '../trust/authority-store.ts';
import { systemClock } from '../trust/clock.ts';
import { SealKey } from '../trust/seal.ts';
import { makeMachine } from '../trust/machine.fixture.ts';
import { inProcessBus } from '../events/event-bus.ts';
import { createDelivery } from './delivery.ts';
import { peerModel, networkModel } from './models.ts';
const N = Number(process.argv[2] ?? 1000);
const mesh = process.argv[3] !== 'spoke';
const dataDir = mkdtempSync('/tmp/pnprobe/d');
const log = pino({ level: 'warn' });
const store = await openStore({ dataDir, databaseUrl: null, log });
const authority = await openAuthority({ store, sealKey: SealKey.make().key, clock: systemClock });
const accountId = uuidv7();
await inPlatform(store, (trx) => trx.insertInto('accounts').values({ id: accountId, name: 't', pool_prefix: 'fd00::/48' }).execute());
const creds: any[] = [];
for (let i = 0; i < N; i++) {
  const m = await makeMachine();
  const id = uuidv7();
  const c = await authority.issueInstanceCertificate({ accountId, instanceId: id, publicKey: m.publicKey });
  creds.push({ id, keyPem: m.keyPem, certificatePem: c.pem, authorityPem: authority.certificatePem, serial: c.serial, keys: Array.from({ length: 8 }, () => randomBytes(32).toString('base64')) });
}
await inAccount(store, accountId, async (trx) => {
  for (let i = 0; i < N; i += 500) await trx.insertInto('instances').values(creds.slice(i, i + 500).map((c, j) => ({ id: c.id, account_id: accountId, hostname: 'h' + (i + j), status: 'provisioning' as const, provider: 'joined', tags: '[]', addresses: '[]', subsystems: '[]', certificate_serial: c.serial }))).execute();
});
const nrow = await inAccount(store, accountId, (trx) => trx.insertInto('networks').values({ id: uuidv7(), account_id: accountId, name: 'n', description: '', handle: 'n1', prefix: 'fd00:0:0:1::/64', routing_mode: 'static', topology_strategy: mesh ? 'full_mesh' : 'hub_and_spoke', firewall_default_policy: 'accept', mtu: 1420 }).returningAll().executeTakeFirstOrThrow());
const network = networkModel(nrow);
const mk = (i: number) => ({ id: uuidv7(), account_id: accountId, network_id: network.id, instance_id: creds[i].id, host_address: 'fd00:0:0:1::' + (i + 256).toString(16), public_key: creds[i].keys[0], publicly_reachable: null, endpoint_address: null, listen_port: 51820, hub_slot: i === 0 ? 1 : null, endpoint: i === 0 ? '192.0.2.1:51820' : mesh ? `192.0.2.1:${1000 + i}` : null, tags: '[]', attached_sequence: 1 });
const rows = creds.map((_, i) => mk(i));
await inAccount(store, accountId, async (trx) => {
  for (let i = 0; i < N; i += 500) await trx.insertInto('peers').values(rows.slice(i, i + 500)).execute();
  await trx.insertInto('changes').values({ account_id: accountId, sequence: 1, changes: '[]' }).execute();
  await trx.updateTable('accounts').set({ change_sequence: 1 }).execute();
});
const bus = inProcessBus((e) => { throw e; });
const t0 = performance.now();
const delivery = await createDelivery({ store, bus, authority, log, clock: systemClock, platformVersion: 'x', onObserved: async () => null });
console.log('createDelivery ms', (performance.now() - t0).toFixed(1));
const { port } = await delivery.listen({ host: '127.0.0.1', port: 0 });
(globalThis as any).gc?.(); (globalThis as any).gc?.();
const base = process.memoryUsage();
const child = fork(new URL('./probe-child.ts', import.meta.url), [], { execArgv: [] });
const waitFor = (kind: string) => new Promise<any>((resolve) => { const f = (m: any) => { if (m.kind === kind) { child.off('message', f); resolve(m); } }; child.on('message', f); });
const t1 = performance.now();
const c0 = process.cpuUsage();
child.send({ kind: 'start', creds, url: `https://127.0.0.1:${port}` });
await waitFor('connected');
console.log('connected', delivery.connectedCount(), 'ms', (performance.now() - t1).toFixed(0), 'cpu ms', process.cpuUsage(c0).user / 1000 + process.cpuUsage(c0).system / 1000);
await new Promise((r) => setTimeout(r, 3000));
for (let i = 0; i < 4; i++) { (globalThis as any).gc?.(); await new Promise((r) => setTimeout(r, 300)); }
const after = process.memoryUsage();
console.log('heapTotal MB', (base.heapTotal/1e6).toFixed(0), (after.heapTotal/1e6).toFixed(0)); console.log('rss per node kB', ((after.rss - base.rss) / N / 1024).toFixed(1), 'heap', ((after.heapUsed - base.heapUsed) / N / 1024).toFixed(1), 'ext', ((after.external - base.external) / N / 1024).toFixed(1), 'rss MB', (after.rss / 1e6).toFixed(0), 'base', (base.rss / 1e6).toFixed(0));
const lat: number[] = [];
for (let k = 0; k < 60; k++) {
  const i = 1 + (k % (N - 1));
  const before = peerModel(rows[i] as any);
  rows[i] = { ...rows[i]!, listen_port: 52000 + k, public_key: randomBytes(32).toString('base64') };
  const aft = peerModel(rows[i] as any);
  const got = waitFor('all');
  const seq = await inAccount(store, accountId, async (trx) => {
    const { change_sequence: s } = await trx.updateTable('accounts').set({ change_sequence: sql<number>`change_sequence+1` }).where('id', '=', accountId).returning('change_sequence').executeTakeFirstOrThrow();
    await trx.updateTable('peers').set({ public_key: aft.publicKey, listen_port: aft.listenPort }).where('id', '=', aft.id).execute();
    await trx.insertInto('changes').values({ account_id: accountId, sequence: s, changes: JSON.stringify([{ kind: 'peer_changed', networkId: network.id, before, after: aft }]) }).execute();
    return s;
  });
  const at = Date.now() + (performance.now() % 1) * 0;
  child.send({ kind: 'expect', revision: seq, count: mesh ? N : 2 });
  const p = performance.timeOrigin + performance.now();
  delivery.changed(accountId, seq, [{ kind: 'peer_changed', networkId: network.id, before, after: aft }]);
  const m = await got;
  lat.push(m.at - p);
}
lat.sort((a, b) => a - b);
console.log('latency ms p50', lat[30]!.toFixed(1), 'p99', lat[59]!.toFixed(1), JSON.stringify(delivery.counters()));
(globalThis as any).gc?.();
console.log('rss after changes MB', (process.memoryUsage().rss / 1e6).toFixed(0));
child.send({ kind: 'stop' });
await new Promise((r) => child.on('exit', r));
await delivery.close(); await store.close(); rmSync(dataDir, { recursive: true });
