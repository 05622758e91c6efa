// keepalived (VRRP) at the jobs that hubs and virtual IPs do, in a lab of the same kind: two routers, of which one is
// the way of a client to a server, and holds the address of a service for it.
import { type Lab, type LabSpecInput, upSpec } from '@powernode/lab/lab';
import { takeDown } from '../../packages/lab/life/down.ts';
import { waitFor } from '../../packages/lab/stage/process.ts';
import { type Loss, lossDuring, lossesDuring, type MeasuredFlow } from '../../packages/lab/watch/loss.ts';
import { ending } from '../stage/endings.ts';

export interface Timers {
  readonly label: string;
  /** Seconds between two advertisements. */
  readonly advertInterval: number;
}

/**
 * Its default, and the fastest that is safe: with four busy programs on two cores for 20 s, the backup took over from a
 * master that was well twice at 0.05 s, twice at 0.02 s and 28 times at 0.01 s, and never at 0.1 s.
 */
export const timersCompared: readonly Timers[] = [
  { label: 'adver_int 1 s (its default)', advertInterval: 1 },
  { label: 'adver_int 0.1 s', advertInterval: 0.1 },
];

/** broken: alive for the other router, but it forwards nothing, or the client cannot reach the address on it. */
export const faults = ['killed', 'cut', 'broken'] as const;
export type Fault = (typeof faults)[number];

/** What the flow through the router lost, and the one to the address that it holds. */
export interface Losses {
  readonly router: Loss;
  readonly address: Loss;
}

const port = 7;
const masterWithinMs = 20_000;
const inside = { gateway: '192.168.1.254', service: '192.168.1.200' };
const outside = { gateway: '192.168.2.254' };
/** As planned: numbers of a LAN begin at 10, in the order of the file. */
const server = '192.168.2.12';
const giveUpMs = 300;

function specOf(name: string): LabSpecInput {
  return {
    name,
    lans: [{ name: 'inside' }, { name: 'outside' }],
    hosts: [
      { name: 'client', on: 'inside' },
      { name: 'r1', on: ['inside', 'outside'] },
      { name: 'r2', on: ['inside', 'outside'] },
      { name: 'server', on: 'outside' },
    ],
  };
}

/** One fault of the master in a lab of its own. */
export async function keepalivedLosses(timers: Timers, fault: Fault): Promise<Losses> {
  const name = `vrrp${process.pid}`;
  const down = ending(async () => void (await takeDown(name)));
  try {
    const lab = await upSpec(specOf(name));
    await setUp(lab, timers);
    return await measure(lab, fault);
  } finally {
    await down();
  }
}

async function shell(lab: Lab, host: string, text: string, input?: string): Promise<string> {
  const command = { program: 'sh', args: ['-ec', text], ...(input === undefined ? {} : { input }) };
  const outcome = await lab.exec(host, command);
  if (outcome.exitCode !== 0) throw new Error(`${host}: ${text}: ${outcome.stderr}`);
  return outcome.stdout;
}

async function setUp(lab: Lab, timers: Timers): Promise<void> {
  await shell(lab, 'client', `ip route add default via ${inside.gateway}`);
  await shell(lab, 'server', `ip route add default via ${outside.gateway}`);
  await lab.serve('server', { tcp: [{ address: server, port }] });
  for (const [router, priority] of [
    ['r1', 150],
    ['r2', 100],
  ] as const) {
    await shell(lab, router, 'echo 1 > /proc/sys/net/ipv4/ip_forward');
    await lab.bindAnywhere(router);
    await lab.serve(router, { tcp: [{ address: inside.service, port }] });
    const start = 'keepalived --vrrp -f /run/vrrp.conf -p /run/keepalived.pid -r /run/vrrp.pid';
    await shell(lab, router, `cat > /run/vrrp.conf; ${start}`, configuration(timers, { router, priority }));
  }
  await waitFor({ what: 'r1 to be master', limitMs: masterWithinMs }, async () => {
    const held = await shell(lab, 'r1', 'ip -o addr show dev eth0');
    const other = await shell(lab, 'r2', 'ip -o addr show dev eth0');
    return held.includes(inside.service) && !other.includes(inside.service);
  });
}

function configuration(timers: Timers, at: { readonly router: string; readonly priority: number }): string {
  const instance = (name: string, device: string, id: number, addresses: readonly string[]) => `
vrrp_instance ${name} {
  state BACKUP
  interface ${device}
  virtual_router_id ${id}
  priority ${at.priority}
  advert_int ${timers.advertInterval}
  virtual_ipaddress {
${addresses.map((address) => `    ${address}/24`).join('\n')}
  }
}`;
  return `global_defs {
  router_id ${at.router}
  vrrp_version 3
}
vrrp_sync_group both {
  group {
    inside
    outside
  }
}
${instance('inside', 'eth0', 51, [inside.gateway, inside.service])}
${instance('outside', 'eth1', 52, [outside.gateway])}
`;
}

async function measure(lab: Lab, fault: Fault): Promise<Losses> {
  const router: MeasuredFlow = { from: 'client', to: 'server', address: server, port };
  const address: MeasuredFlow = { from: 'client', to: 'r1', address: inside.service, port, giveUpMs };
  if (fault !== 'broken') {
    const happen = () => (fault === 'killed' ? lab.kill('r1') : lab.partition(['r1']));
    const [first, second] = await lossesDuring(lab, [router, address], happen);
    if (first === undefined || second === undefined) throw new Error('two flows have two losses');
    return { router: first, address: second };
  }
  // Alive for the other router all the while: one that forwards nothing, then one that the client does not reach.
  const forwarding = await lossDuring(lab, router, () => lab.breakForwarding('r1'));
  await lab.repairForwarding('r1');
  const reached = await lossDuring(lab, address, () => lab.cut({ a: 'client', b: 'r1' }));
  return { router: forwarding, address: reached };
}
