// What a node may say is wrong with it: one table of codes with a sentence each, and the shape of a report. The
// platform takes codes of this table only, so that a machine cannot put a text of its own in a program's way.
import { z } from 'zod';
import { type NodeSubsystem, nodeSubsystems } from '../intent/common.ts';
import { nodeProblemCodeMax, nodeProblemDetailMax, nodeProblemsMax } from '../limits/node-stream.ts';
import { interfaceNameLengthMax } from '../limits/texts.ts';
import { beforeCapabilities } from './capability.ts';
import { id } from './texts.ts';

/** Where on a packet's way through a node a problem ends it. */
export type ProblemStage = 'send' | 'forward' | 'receive';

export interface NodeProblemKind {
  readonly subsystem: NodeSubsystem;
  /** error: what the document wants is not so. warning: it is so, but not as well as it should be. */
  readonly severity: 'warning' | 'error';
  /** Packets that it stops, for explanations; empty: none for certain. */
  readonly stops: readonly ProblemStage[];
  /** For people: one sentence that says what it is and what to do. */
  readonly summary: string;
}

const everywhere: readonly ProblemStage[] = ['send', 'forward', 'receive'];

const table = {
  agent_error: {
    subsystem: 'agent',
    severity: 'error',
    stops: [],
    summary:
      'The agent hit an internal error and retries; its log has the details. Please report it as a bug.',
  },
  change_rolled_back: {
    subsystem: 'agent',
    severity: 'error',
    stops: [],
    summary:
      'A change disconnected the instance from the platform or from every hub for 20 s, so the agent rolled it back; what the change removed or denied stays removed or denied. It is retried when the network changes again, with system_retry_rolled_back, or with powernode agent retry on the instance.',
  },
  not_converging: {
    subsystem: 'agent',
    severity: 'error',
    stops: [],
    summary: 'Another program keeps reverting what the agent configures; find and stop it.',
  },
  unsupported: {
    subsystem: 'agent',
    severity: 'error',
    stops: [],
    summary:
      'The network needs something that the agent is too old for; everything else is applied. Upgrade the agent: powernode agent upgrade.',
  },
  program_missing: {
    subsystem: 'agent',
    severity: 'error',
    stops: [],
    summary: 'A program that the agent needs is not installed; install it.',
  },
  state_not_stored: {
    subsystem: 'state',
    severity: 'error',
    stops: [],
    summary:
      'The agent cannot write its state directory, so a restart would begin with an older configuration; free disk space.',
  },
  port_in_use: {
    subsystem: 'wireguard',
    severity: 'error',
    stops: ['forward', 'receive'],
    summary:
      'Another program uses the UDP listen port of WireGuard: the instance can initiate tunnels but not accept them. Stop that program or give the peer another port.',
  },
  interface_taken: {
    subsystem: 'wireguard',
    severity: 'error',
    stops: everywhere,
    summary:
      'An interface with the name that a network needs already exists and was not created by the agent; rename it, or detach the instance.',
  },
  wireguard_failed: {
    subsystem: 'wireguard',
    severity: 'error',
    stops: [],
    summary: 'An interface or tunnel could not be configured; the agent log has the command.',
  },
  endpoint_refused: {
    subsystem: 'wireguard',
    severity: 'warning',
    stops: [],
    summary:
      'The endpoint of a peer is not usable or lies inside an overlay, so it is not used; give that peer another endpoint.',
  },
  addresses_failed: {
    subsystem: 'addresses',
    severity: 'error',
    stops: [],
    summary: 'An address or link could not be configured; the agent log has the command.',
  },
  routing_failed: {
    subsystem: 'routing',
    severity: 'error',
    stops: [],
    summary: 'A route or forwarding could not be configured; the agent log has the command.',
  },
  routing_daemon_missing: {
    subsystem: 'routing',
    severity: 'warning',
    stops: [],
    summary:
      'The network uses iBGP and FRR is not installed or cannot run beside a bfdd of the instance, so the instance keeps static routes to prefixes behind peers; install frr, or disable that bfdd.',
  },
  routing_daemon_refused: {
    subsystem: 'routing',
    severity: 'error',
    stops: [],
    summary:
      'FRR refused a part of the configuration, so the last one that it took stays; change the route policy that it names.',
  },
  nftables_failed: {
    subsystem: 'nftables',
    severity: 'error',
    stops: [],
    summary: 'The nftables ruleset could not be loaded; the agent log has the error of nft.',
  },
  connections_not_rematched: {
    subsystem: 'nftables',
    severity: 'warning',
    stops: [],
    summary:
      'Connections that are no longer allowed may continue, because the connection table cannot be read, or the part of it that the detail names; the agent log has the error of conntrack.',
  },
  host_firewall_forward: {
    subsystem: 'host',
    severity: 'error',
    stops: ['forward'],
    summary:
      'The local firewall (Docker, ufw, firewalld, another VPN) drops packets that the hub should forward; accept them there, or run the agent with `--host-firewall accept`.',
  },
  host_firewall_input: {
    subsystem: 'host',
    severity: 'error',
    stops: ['receive'],
    summary: 'The local firewall drops incoming packets from the overlay; accept the interface there.',
  },
  host_firewall_port: {
    subsystem: 'host',
    severity: 'error',
    stops: [],
    summary:
      "The local firewall drops packets to WireGuard's UDP port for one address family; accept the UDP port there.",
  },
  host_firewall_lan: {
    subsystem: 'host',
    severity: 'error',
    stops: [],
    summary:
      'The local firewall drops packets between the overlay and LANs or pods behind the instance; accept them there, or, where it is not firewalld, run the agent with `--host-firewall accept`.',
  },
  host_firewall_port_mapping: {
    subsystem: 'host',
    severity: 'error',
    stops: [],
    summary:
      'The local firewall drops packets of port mappings, forwarded or to the instance itself; accept them there, or, where it is not firewalld, run the agent with `--host-firewall accept`.',
  },
  host_firewall_partly: {
    subsystem: 'host',
    severity: 'warning',
    stops: [],
    summary:
      'The local firewall drops packets of the overlay, of LANs behind the instance or of port mappings except those that some of its rules accept, or may drop them in tables that the agent cannot read (iptables-legacy); check that yours are accepted.',
  },
  reverse_path_filter: {
    subsystem: 'host',
    severity: 'warning',
    stops: [],
    summary:
      'The reverse path filter drops packets that arrive through a different hub than the return route, which happens while a hub is down; set it to loose.',
  },
  bridge_cut_off: {
    subsystem: 'host',
    severity: 'warning',
    stops: [],
    summary:
      'Containers or virtual machines behind a local bridge cannot use the overlay; run the agent with `--bridge` if they should.',
  },
  path_mtu_lowered: {
    subsystem: 'paths',
    severity: 'warning',
    stops: [],
    summary:
      'The path MTU is smaller than the network’s mtu, and ICMP does not report it; the agent uses a lower MTU.',
  },
  path_mtu_too_small: {
    subsystem: 'paths',
    severity: 'error',
    stops: [],
    summary: 'The path MTU is below the 1280 bytes that IPv6 requires; raise the MTU of the underlying link.',
  },
} as const satisfies Readonly<Record<string, NodeProblemKind>>;

export type NodeProblemCode = keyof typeof table;

/** Every code that a node may report, in the order of the reference. */
export const nodeProblemTable: Readonly<Record<NodeProblemCode, NodeProblemKind>> = table;

/** While a hub has one of these in a network, nobody can call it there, whatever its last handshake was. */
export const uncallableCodes: readonly NodeProblemCode[] = ['port_in_use', 'interface_taken'];

/** Codes that came after capability 3, with the one that they came with: an earlier platform is not told of them. */
const laterCodes: Partial<Readonly<Record<NodeProblemCode, number>>> = {
  unsupported: 4,
  routing_daemon_missing: 5,
  routing_daemon_refused: 5,
  host_firewall_lan: 5,
  host_firewall_port_mapping: 5,
};

/** From which capability on a platform knows a code. */
export function problemCapability(code: NodeProblemCode): number {
  return laterCodes[code] ?? beforeCapabilities;
}

const codes = Object.keys(table) as [NodeProblemCode, ...NodeProblemCode[]];

/** One problem as a node reports it. `network_id` and `peer_id` are of its own document. */
export const nodeProblem = z.object({
  subsystem: z.enum(nodeSubsystems),
  code: z.enum(codes),
  /** For people: cause and what to do, one line. */
  detail: z
    .string()
    .max(nodeProblemDetailMax)
    .regex(/^[^\p{Cc}]*$/u, 'must not contain control characters'),
  network_id: id.optional(),
  /** The other end, where it concerns the path to one peer. */
  peer_id: id.optional(),
  /** An interface of the machine, of an overlay or not (Linux: at most 15 characters). */
  interface: z
    .string()
    .max(interfaceNameLengthMax)
    .regex(/^[^\s/\p{Cc}]{1,15}$/u, 'is not a name of an interface')
    .optional(),
  /** RFC 3339, UTC: when it began. */
  since: z.iso.datetime().max(30),
});
export type NodeProblem = z.infer<typeof nodeProblem>;

/** One with a code of a later agent: left out, so that no text of a machine takes the place of a code. */
const laterProblem = z.object({
  code: z
    .string()
    .max(nodeProblemCodeMax)
    .regex(/^[a-z][a-z0-9_]*$/)
    .refine((code) => !Object.hasOwn(table, code)),
});

/** Everything that is wrong with a node now; replaces what it said before. After each hello, and when it changes. */
export const problems = z.object({
  kind: z.literal('problems'),
  problems: z
    .array(z.union([nodeProblem, laterProblem]))
    .max(nodeProblemsMax)
    .transform((all) => all.filter((one): one is NodeProblem => Object.hasOwn(table, one.code))),
});

/** What makes two reports the same problem: its detail may change while it lasts. */
export function problemKey(problem: Omit<NodeProblem, 'detail' | 'since'>): string {
  const { subsystem, code, network_id = '', peer_id = '', interface: name = '' } = problem;
  return [subsystem, code, network_id, peer_id, name].join(' ');
}

/** Errors before warnings, then the oldest first. */
export function byWeight(a: NodeProblem, b: NodeProblem): number {
  const weight = (one: NodeProblem) => (nodeProblemTable[one.code].severity === 'error' ? 0 : 1);
  return weight(a) - weight(b) || a.since.localeCompare(b.since);
}
