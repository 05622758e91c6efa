// Port mappings: clients outside, one with IPv4 only and one with IPv6 only, reach a TCP and a UDP service of the
// overlay through a hub; and what a mapping refuses, limits and survives.
import { portMappingActions } from '@powernode/core/actions/port-mappings';
import type { PortMapping } from '@powernode/core/intent/port-mapping';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { RefusedError } from '../../../packages/lab/fleet/api.ts';
import type { Service } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { MovingAddress, servicePort } from '../../../packages/lab/testing/moving-address.ts';
import { ownLabFolder, uniqueName } from '../../../packages/lab/testing/scene.ts';
import { Services } from '../../../packages/lab/testing/services.ts';
import { lossDuring } from '../../../packages/lab/watch/loss.ts';
import { promisedMs } from '../../stage/quiet.ts';

const limitMs = 30_000;
const hub = 'hub1';
const outerPort = 8080;
const gapMaxMs = promisedMs(1000);
const protocols = ['tcp', 'udp'] as const;
const families = ['ipv4', 'ipv6'] as const;
type Family = (typeof families)[number];
const clients = { ipv4: 'client4', ipv6: 'client6' } as const;

let services: Services;
let service: Service;
let removeFolder: () => Promise<void>;
const mappings = new Map<string, PortMapping>();

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  services = await Services.up(uniqueName('door'), (line) => console.log(line));
  const { host_address, ipv4_address } = await services.peer('server1');
  const at = [host_address, ipv4_address ?? ''].map((address) => ({ address, port: servicePort }));
  service = await services.lab.serve('server1', { tcp: at, udp: at });
});

afterAll(async () => {
  await service?.end();
  await services?.lab.down();
  await removeFolder();
});

/** The hub's address on the public segment. */
function outer(family: Family, host: string = hub): string {
  const wire = services.lab.plan.hosts.find(({ name }) => name === host)?.attachments[0];
  return (family === 'ipv4' ? wire?.address4 : wire?.address6) ?? '';
}

async function open(
  mapping: { readonly family: Family; readonly protocol: (typeof protocols)[number]; readonly port: number },
  more: object,
): Promise<PortMapping> {
  const { port_mapping } = await services.call(portMappingActions.createPortMapping, {
    network_id: services.networkId,
    external_address: outer(mapping.family),
    external_port: mapping.port,
    internal_port: servicePort,
    protocol: mapping.protocol,
    ...more,
  });
  return port_mapping;
}

async function close(mapping: PortMapping): Promise<void> {
  await services.call(portMappingActions.deletePortMapping, { port_mapping_id: mapping.id, approve: true });
}

/** Whether a TCP connection from outside gets a word from the service. */
async function opens(family: Family, port: number): Promise<boolean> {
  const script = `const s = require('node:net').connect(${port}, '${outer(family)}');
    s.setTimeout(700, () => process.exit(2)); s.on('error', () => process.exit(3));
    s.on('data', () => process.exit(0));`;
  const outcome = await services.lab.exec(clients[family], {
    program: process.execPath,
    args: ['-e', script],
  });
  return outcome.exitCode === 0;
}

async function opensSoon(family: Family, port: number): Promise<void> {
  await waitFor({ what: `${family} to get in at ${port}`, limitMs }, () => opens(family, port));
}

async function closesSoon(family: Family, port: number): Promise<void> {
  const closed = async () => !(await opens(family, port));
  await waitFor({ what: `${family} to be kept out at ${port}`, limitMs }, closed);
}

test.each(families)(
  'a client with %s only reaches a TCP and a UDP service of the overlay',
  async (family) => {
    const { id } = await services.peer('server1');
    for (const protocol of protocols) {
      mappings.set(
        `${family} ${protocol}`,
        await open({ family, protocol, port: outerPort }, { internal_peer_id: id }),
      );
    }
    await opensSoon(family, outerPort);
    const place = { address: outer(family), port: outerPort };
    const stream = await services.lab.startStream(clients[family], place);
    const questions = await services.lab.startAsking(clients[family], { ...place, intervalMs: 20 });
    await waitFor(
      { what: 'answers by both', limitMs },
      () => stream.echoed() > 20 && questions.answers.length > 20,
    );
    const report = await stream.stop();
    await questions.stop();
    expect(report).toMatchObject({ ended: null, greetings: [{ name: 'server1' }] });
    expect(new Set(questions.answers.map(({ name }) => name))).toEqual(new Set(['server1']));

    // The object says whom the service sees.
    const wire = services.lab.plan.hosts.find(({ name }) => name === clients[family])?.attachments[0];
    const own = (family === 'ipv4' ? wire?.address4 : wire?.address6) ?? '';
    for (const [protocol, seenAs] of [
      ['tcp', report.greetings[0]?.seen_as],
      ['udp', questions.answers[0]?.seen_as],
    ] as const) {
      const keeps = mappings.get(`${family} ${protocol}`)?.keeps_client_address;
      expect([protocol, seenAs?.includes(own)]).toEqual([protocol, keeps]);
    }
  },
);

test('the same port mapping twice is refused at creation', async () => {
  const { id } = await services.peer('server2');
  const again = open({ family: 'ipv4', protocol: 'tcp', port: outerPort }, { internal_peer_id: id });
  const refusal = await again.catch((error: unknown) => error);
  expect(refusal).toBeInstanceOf(RefusedError);
  expect(['conflict', 'already_exists']).toContain((refusal as RefusedError).refusal);
});

test('an address that no hub has is refused', async () => {
  const { id } = await services.peer('server1');
  const strange = services.call(portMappingActions.createPortMapping, {
    network_id: services.networkId,
    external_address: '203.0.113.77',
    external_port: 81,
    internal_peer_id: id,
    internal_port: servicePort,
    protocol: 'tcp',
  });
  await expect(strange).rejects.toThrow(RefusedError);
});

test.each(families)('by %s: other sources than those named are kept out', async (family) => {
  const { id } = await services.peer('server1');
  const port = 8081;
  const elsewhere = family === 'ipv4' ? '203.0.113.0/24' : '2001:db8:113::/64';
  const mapping = await open(
    { family, protocol: 'tcp', port },
    { internal_peer_id: id, source_cidrs: [elsewhere] },
  );
  await opensSoon(family, outerPort);
  expect(await opens(family, port)).toBe(false);
  const public4 = services.lab.plan.segments[0];
  const ours = (family === 'ipv4' ? public4?.prefix4 : public4?.prefix6) ?? '';
  const update = { port_mapping_id: mapping.id, source_cidrs: [elsewhere, ours] };
  await services.call(portMappingActions.updatePortMapping, update);
  await opensSoon(family, port);
  await close(mapping);
  await closesSoon(family, port);
  expect(await opens(family, outerPort)).toBe(true);
});

test('no more connections at once than allowed', async () => {
  const { id } = await services.peer('server1');
  const port = 8082;
  const mapping = await open(
    { family: 'ipv4', protocol: 'tcp', port },
    { internal_peer_id: id, max_connections: 2 },
  );
  const place = { address: outer('ipv4'), port };
  await opensSoon('ipv4', port);
  // The look above may count for a moment longer.
  const streams = [];
  for (let i = 0; i < 2; i++) {
    streams.push(await services.lab.startStream('client4', { ...place, giveUpMs: 1000 }));
  }
  await closesSoon('ipv4', port);
  expect(await opens('ipv4', outerPort)).toBe(true);
  for (const stream of streams) await stream.stop();
  await opensSoon('ipv4', port);
  await close(mapping);
});

test('a mapping to a virtual IP survives its holder', async () => {
  await services.setFailoverPolicy('auto_approve');
  const address = await MovingAddress.create(services, { name: 'behind', candidates: ['server2', 'edge1'] });
  const port = 8083;
  const mapping = await open(
    { family: 'ipv6', protocol: 'tcp', port },
    { internal_virtual_ip_id: address.virtualIp.id },
  );
  await opensSoon('ipv6', port);
  const flow = {
    from: 'office1',
    to: 'server2',
    address: address.address,
    port: servicePort,
    giveUpMs: 300,
  };
  const outside = await services.lab.startStream('client6', { address: outer('ipv6'), port, giveUpMs: 300 });
  const loss = await lossDuring(services.lab, flow, () => services.lab.partition(['server2']));
  await waitFor({ what: 'the client outside to be answered again', limitMs }, () => opens('ipv6', port));
  const report = await outside.stop();
  console.log(`from outside: TCP gap ${report.longest_gap_ms} ms`);
  await services.lab.unite();
  await close(mapping);
  await address.remove();
  expect(loss.ping.longestGapMs).toBeLessThan(gapMaxMs);
  expect([...new Set(report.greetings.map(({ name }) => name))]).toEqual(['server2', 'edge1']);
});

test('what is closed stays closed', async () => {
  for (const mapping of mappings.values()) await close(mapping);
  for (const family of families) await closesSoon(family, outerPort);
});
