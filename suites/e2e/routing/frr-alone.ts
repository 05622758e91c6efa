// FRR alone at the same job: the sites of examples/labs/routing.yaml with routers that run zebra, bgpd and bfdd on plain
// links, with the timers of the product. Each link is a segment of its own; zebra writes the routes.
import { bfdIntervalMs, connectSeconds, holdSeconds, keepaliveSeconds } from '@powernode/core/limits/routing';
import { z } from 'zod';
import { type Lab, type LabSpecInput, upSpec } from '../../../packages/lab/lab.ts';
import { waitFor } from '../../../packages/lab/stage/process.ts';
import { edges, hubs } from './routed-lab.ts';

const asNumber = 65_000;
const limitMs = 60_000;
/** What LANs are behind which router, with the local preference of a route to it. */
const lans = [
  { lan: 'tokyo', prefix: '192.168.11.0/24', routers: { edge1: 100 } },
  { lan: 'osaka', prefix: '192.168.12.0/24', routers: { edge2: 100 } },
  { lan: 'nagoya-plant', prefix: '192.168.13.0/24', routers: { edge3: 100 } },
  { lan: 'nagoya', prefix: '192.168.14.0/24', routers: { edge4: 200, edge5: 100 } },
] as const;
/** Machines in the LANs, and the router that each sends by. */
const clients = [
  { name: 'client1', lan: 'tokyo', gateway: 'edge1' },
  { name: 'client2', lan: 'osaka', gateway: 'edge2' },
  { name: 'client3', lan: 'nagoya-plant', gateway: 'edge3' },
  { name: 'client4', lan: 'nagoya', gateway: 'edge4' },
] as const;
/** In front of a LAN behind two routers, each puts its own address in the place of the sender's. */
const translated = 'nagoya';

interface Link {
  readonly name: string;
  readonly one: string;
  readonly other: string;
}

/** As tunnels of the overlay: every edge with every hub, the hubs, and the two sites that meet without a hub. */
const links: readonly Link[] = [
  ...hubs.flatMap((one) => edges.map((other) => ({ one, other }))),
  { one: 'hub1', other: 'hub2' },
  { one: 'edge1', other: 'edge3' },
].map((ends) => ({ ...ends, name: `${ends.one}-${ends.other}` }));
const routers = [...hubs, ...edges];

function specOf(name: string): LabSpecInput {
  const lansOf = (router: string) => lans.flatMap((one) => (router in one.routers ? [one.lan] : []));
  const linksOf = (router: string) =>
    links.flatMap((link) => ([link.one, link.other].includes(router) ? [link.name] : []));
  return {
    name,
    lans: [
      ...lans.map(({ lan, prefix }) => ({ name: lan, prefix4: prefix })),
      ...links.map((link, i) => ({ name: link.name, prefix4: `10.0.${i}.0/24` })),
    ],
    hosts: [
      ...routers.map((router) => ({ name: router, on: [...lansOf(router), ...linksOf(router)] })),
      ...clients.map(({ name: client, lan, gateway }) => ({ name: client, on: lan, gateway })),
    ],
  };
}

const bfdPeers = z.array(z.looseObject({ status: z.string() }));

export class FrrAlone {
  readonly lab: Lab;

  private constructor(lab: Lab) {
    this.lab = lab;
  }

  /** Brings it up, with every session established and guarded by BFD. */
  static async up(name: string): Promise<FrrAlone> {
    const alone = new FrrAlone(await upSpec(specOf(name)));
    try {
      await Promise.all(routers.map((router) => alone.#run(router)));
      await alone.converged();
      return alone;
    } catch (error) {
      await alone.lab.down();
      throw error;
    }
  }

  lanAddress(host: string): string {
    return this.lab.plan.hosts.find(({ name }) => name === host)?.attachments[0]?.address4 ?? '';
  }

  /** The router or LAN interface that a router would send to an address by; empty: none. */
  async nextHop(router: string, address: string): Promise<string> {
    const { stdout } = await this.lab.exec(router, { program: 'ip', args: ['route', 'get', address] });
    return / via (\S+) /.exec(stdout)?.[1] ?? '';
  }

  /** The name of the router that has an address on one of the links. */
  routerAt(address: string): string | null {
    const at = this.lab.plan.hosts.find(({ attachments }) =>
      attachments.some((wire) => wire.address4 === address),
    );
    return at?.name ?? null;
  }

  /** Power on again after a kill, with its daemons. */
  async restart(router: string): Promise<void> {
    await this.lab.start(router);
    await this.#run(router);
  }

  /** Every BFD session of every router is up, and so is what it guards. */
  async converged(): Promise<void> {
    for (const router of routers) {
      const count = links.filter(({ one, other }) => [one, other].includes(router)).length;
      let instead = '';
      const wait = { what: `the sessions of ${router}`, limitMs, pollMs: 100, instead: () => instead };
      await waitFor(wait, async () => {
        const [bfd, bgp] = [await this.#show(router, 'bfd peers'), await this.#show(router, 'bgp summary')];
        instead = `${bfd} ${bgp}`;
        const peers = bfdPeers.safeParse(JSON.parse(bfd || '[]')).data ?? [];
        const established = bgp.split('"state":"Established"').length - 1;
        return peers.filter(({ status }) => status === 'up').length === count && established === count;
      });
    }
  }

  async #show(router: string, what: string): Promise<string> {
    const args = ['--vty_socket', '/run/frr', '-c', `show ${what} json`];
    const { stdout } = await this.lab.exec(router, { program: 'vtysh', args });
    return stdout;
  }

  async #run(router: string): Promise<void> {
    const own = ['-u', 'frr', '-g', 'frr', '--vty_socket', '/run/frr', '-z', '/run/frr/zserv.api', '-P', '0'];
    const start = (daemon: string, ...more: string[]) =>
      [`/usr/lib/frr/${daemon}`, '-d', '-f', `/run/${daemon}.conf`, '-i', `/run/frr/${daemon}.pid`, ...own]
        .concat(more, '--limit-fds', '1024')
        .join(' ');
    await this.#shell(router, 'cat > /run/bgpd.conf', this.#bgpdConfig(router));
    await this.#shell(router, 'cat > /run/bfdd.conf', bfddConfig);
    const script = [
      'echo 1 > /proc/sys/net/ipv4/ip_forward',
      ': > /run/zebra.conf',
      'install -d -o frr -g frr -m 750 /run/frr',
      start('zebra'),
      start('bfdd', '--bfdctl', '/run/frr/bfdd.sock'),
      start('bgpd'),
    ];
    await this.#shell(router, script.join('\n'));
    const device = this.lab.plan.hosts
      .find(({ name }) => name === router)
      ?.attachments.find(({ segment }) => segment === translated)?.device;
    if (device !== undefined) await this.#shell(router, 'nft -f -', masquerade(device));
  }

  async #shell(router: string, text: string, input?: string): Promise<void> {
    const command = { program: 'sh', args: ['-ec', text], ...(input === undefined ? {} : { input }) };
    const outcome = await this.lab.exec(router, command);
    if (outcome.exitCode !== 0) throw new Error(`${router}: ${text}: ${outcome.stderr}`);
  }

  #addressOn(router: string, segment: string): string {
    const host = this.lab.plan.hosts.find(({ name }) => name === router);
    return host?.attachments.find((wire) => wire.segment === segment)?.address4 ?? '';
  }

  #bgpdConfig(router: string): string {
    const isHub = hubs.some((hub) => hub === router);
    const neighbors = links.flatMap(({ name, one, other }) => {
      const far = one === router ? other : other === router ? one : null;
      return far === null ? [] : [{ far, address: this.#addressOn(far, name) }];
    });
    const networks = lans.flatMap(({ prefix, routers: behind }) => {
      const preference = Object.entries(behind).find(([name]) => name === router)?.[1];
      return preference === undefined ? [] : [{ prefix, preference }];
    });
    const preferences = [...new Set(networks.map(({ preference }) => preference))];
    return [
      'bgp route-map delay-timer 1',
      ...preferences.flatMap((preference) => [
        `route-map prefer-${preference} permit 1`,
        ` set local-preference ${preference}`,
        'exit',
      ]),
      `router bgp ${asNumber}`,
      ` bgp router-id 10.255.0.${routers.findIndex((name) => name === router) + 1}`,
      ' no bgp default ipv4-unicast',
      ' no bgp network import-check',
      ` timers bgp ${keepaliveSeconds} ${holdSeconds}`,
      ...neighbors.flatMap(({ address }) => [
        ` neighbor ${address} remote-as ${asNumber}`,
        ` neighbor ${address} bfd`,
        ` neighbor ${address} bfd profile fast`,
        ` neighbor ${address} timers connect ${connectSeconds}`,
      ]),
      ' address-family ipv4 unicast',
      // By default it spreads what it sends over equal paths, which makes two hubs send to each other.
      '  maximum-paths ibgp 1',
      ...networks.map(({ prefix, preference }) => `  network ${prefix} route-map prefer-${preference}`),
      ...neighbors.flatMap(({ far, address }) => [
        `  neighbor ${address} activate`,
        // A client of a reflector is sent to by way of it, as packets in the overlay are.
        ...(isHub && edges.some((edge) => edge === far)
          ? [`  neighbor ${address} route-reflector-client`]
          : []),
        ...(isHub ? [`  neighbor ${address} next-hop-self force`] : []),
      ]),
      ' exit-address-family',
      'exit',
      '',
    ].join('\n');
  }
}

const bfddConfig = `bfd
 profile fast
  transmit-interval ${bfdIntervalMs}
  receive-interval ${bfdIntervalMs}
 exit
exit
`;

function masquerade(device: string): string {
  return `table ip nat {
  chain postrouting {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "${device}" masquerade
  }
}
`;
}
