// Where real agents call others, by what arrives: how many datagrams a lie about an endpoint sends to a third party, and
// which of a peer's endpoints is called. POWERNODE_LONG=1 counts until the last try has gone by (nine minutes).
import { withLength } from '@powernode/core/net/address';
import { directProbeAddress } from '@powernode/core/net/probe-address';
import type { EntryValue } from '@powernode/core/wire/document';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { Fleet, handshakes, pings, until } from './fixtures/agents.ts';
import {
  addressOf,
  hubDocument,
  leaf,
  networkId,
  peerOf,
  route,
  spokeDocument,
} from './fixtures/documents.ts';
import type { Host } from './fixtures/stage.ts';

const isLong = process.env['POWERNODE_LONG'] === '1';
const fleet = new Fleet();
const spokes = ['spoke1', 'spoke2'];
let victim: Host;
beforeAll(async () => {
  await fleet.start(['hub', ...spokes]);
  victim = await fleet.stage.host('victim');
  await victim.must('nft', 'add table inet count');
  await victim.must('nft', 'add chain inet count input { type filter hook input priority 0; }');
  await victim.must('nft', 'add rule inet count input meta l4proto udp udp dport 4000 counter drop');
});
afterAll(() => fleet.end());

/** Datagrams that have come to the third party. */
async function arrived(): Promise<number> {
  const listed = await victim.must('nft', 'list', 'chain', 'inet', 'count', 'input');
  return Number(/counter packets (\d+)/.exec(listed)?.[1] ?? Number.NaN);
}

/** Keys that hubs say are at a place, where another machine is. */
const liedKeys = Array.from({ length: 4 }, (_, i) => `${String.fromCharCode(65 + i).repeat(42)}A=`);

function liedAbout(publicKey: string, at: { readonly number: number; readonly place: string }): EntryValue[] {
  const address = addressOf(at.number);
  const target = directProbeAddress(address);
  const reached = [withLength(address), withLength(target)];
  return [
    peerOf({
      interface: 'wg-test',
      number: at.number,
      publicKey,
      endpoint: at.place,
      allowedIps: reached,
    }),
    {
      kind: 'probe',
      network_id: networkId,
      interface: 'wg-test',
      public_key: publicKey,
      purpose: 'direct',
      target,
    },
    ...reached.map((destination) => route(destination, 'wg-test')),
  ];
}

async function called(host: Host): Promise<string[]> {
  const listed = await host.must('wg', 'show', 'wg-test', 'endpoints');
  return listed
    .trim()
    .split('\n')
    .map((line) => line.split('\t')[1] ?? '');
}

test('a lie about endpoints sends a counted few datagrams to a third party, and then none [9.8]', async () => {
  const place = `198.18.200.${fleet.stage.hosts.indexOf(victim) + 1}:4000`;
  const lies = liedKeys.flatMap((key, i) => liedAbout(key, { number: 100 + i, place }));
  const beganMs = performance.now();
  for (const name of spokes)
    await fleet.platform.put(name, [leaf(fleet.number(name), fleet.key(name)), ...lies]);
  for (const name of spokes) await fleet.platform.applied(name, 1);
  const hosts = spokes.map((name) => fleet.member(name).host);
  const counts: string[] = [];
  const pairs = spokes.length * liedKeys.length;
  const silent = async () => (await Promise.all(hosts.map(called))).flat().every((at) => at === '(none)');
  const tries = isLong ? 5 : 1;
  for (let i = 1; i <= tries; i++) {
    await until(silent);
    const seen = await arrived();
    counts.push(`${Math.round((performance.now() - beganMs) / 1000)} s: ${seen}`);
    // A first try is begun in a hurry (at most 6 times), and every try is repeated every 5 s.
    expect(seen).toBeGreaterThan(0);
    expect(seen / pairs).toBeLessThanOrEqual(12 + 6 * (i - 1));
    if (i === tries) break;
    await until(async () => !(await silent()));
    expect((await arrived()) - seen).toBeLessThanOrEqual(pairs);
  }
  console.log(`${pairs} pairs, datagrams that arrived: ${counts.join(', ')}`);
  const last = await arrived();
  // Probes go on, and find no way out.
  await until(
    async () => (await hosts[0]?.run('ping', '-c', '20', '-i', '0.1', '-W', '1', addressOf(100)))?.code === 1,
  );
  expect(await arrived()).toBe(last);
}, 900_000);

test('an endpoint that is no other machine is not written to the kernel, and the platform is told [9.8]', async () => {
  const host = fleet.member('spoke2').host;
  const from = fleet.platform.said.length;
  const hub = { ...fleet.hub('hub', 1), endpoint: '127.0.0.1:51820' };
  await fleet.platform.put('spoke2', spokeDocument(fleet.number('spoke2'), fleet.key('spoke2'), [hub]));
  const { message } = await fleet.platform.heard(
    (said) =>
      said.hostname === 'spoke2' && said.message.kind === 'problems' && said.message.problems.length > 0,
    from,
  );
  expect(JSON.stringify(message)).toContain('endpoint_refused');
  await expect.poll(() => host.must('wg', 'show', 'wg-test-1', 'endpoints')).toContain('(none)');
});

test('of two endpoints a machine calls the one of the family that it has a way out by [9.29]', async () => {
  const host = fleet.member('spoke1').host;
  const hubNumber = fleet.number('hub');
  await host.must('ip', '-6', 'route', 'add', 'default', 'via', '2001:db8:200::1');
  const nobody = `198.18.200.250:51820`;
  const ipv6 = `[2001:db8:200::${hubNumber + 1}]:51820`;
  await fleet.platform.put('hub', [
    ...hubDocument(1, fleet.key('hub')),
    ...spokes.map((name) => fleet.spokePeer(name)),
  ]);
  const hub = { ...fleet.hub('hub', 1), endpoint: nobody };
  const document = (name: string) =>
    spokeDocument(fleet.number(name), fleet.key(name), [hub]).map((entry) =>
      entry.kind === 'peer' ? { ...entry, fallback_endpoints: [ipv6] } : entry,
    );
  await fleet.platform.put('spoke1', document('spoke1'));
  await until(() => pings(host, addressOf(1)));
  expect(await host.must('wg', 'show', 'wg-test-1', 'endpoints')).toContain(ipv6);

  // One that knows of no better family comes to it when nobody answers at the first.
  const other = fleet.member('spoke2').host;
  await fleet.platform.put('spoke2', document('spoke2'));
  await until(() => pings(other, addressOf(1)));
  expect(await other.must('wg', 'show', 'wg-test-1', 'endpoints')).toContain(ipv6);
  expect([...(await handshakes(other, 'wg-test-1')).values()].every((at) => at > 0)).toBe(true);
});
