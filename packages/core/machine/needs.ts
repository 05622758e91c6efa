// What a machine needs for each thing that runs on it: the one list that agent, lab, demo, tests, benchmarks and the
// install script read. It looks at nothing itself: callers say what is there.

/** Each includes what it stands on: a lab runs agents, the tests run labs. */
export type MachineUse = 'agent' | 'lab' | 'tests';

export interface NeededProgram {
  /** Its name, or its path where it is in no folder of programs. */
  readonly command: string;
  /** The package that has it. */
  readonly debian: string;
  /** Fedora's name of that package; null: Fedora has none. */
  readonly fedora: string | null;
  readonly use: MachineUse;
  /** The tests that cannot do without it; a lab is needed for those of `net`. */
  readonly group: 'net' | 'browser' | 'redis' | 'openssl';
}

export interface MachineFacts {
  hasProgram(command: string): boolean;
  /** Whether the kernel makes WireGuard interfaces; asked only when the answer matters. */
  hasKernelWireguard(): boolean;
}

const agentPrograms: readonly NeededProgram[] = [
  { command: 'ip', debian: 'iproute2', fedora: 'iproute', use: 'agent', group: 'net' },
  { command: 'ss', debian: 'iproute2', fedora: 'iproute', use: 'agent', group: 'net' },
  { command: 'wg', debian: 'wireguard-tools', fedora: 'wireguard-tools', use: 'agent', group: 'net' },
  { command: 'nft', debian: 'nftables', fedora: 'nftables', use: 'agent', group: 'net' },
  { command: 'conntrack', debian: 'conntrack', fedora: 'conntrack-tools', use: 'agent', group: 'net' },
  { command: 'flock', debian: 'util-linux', fedora: 'util-linux-core', use: 'agent', group: 'net' },
  { command: 'setpriv', debian: 'util-linux', fedora: 'util-linux', use: 'agent', group: 'net' },
  { command: 'unshare', debian: 'util-linux', fedora: 'util-linux-core', use: 'agent', group: 'net' },
  { command: 'nice', debian: 'coreutils', fedora: 'coreutils', use: 'agent', group: 'net' },
];

/** In place of WireGuard in the kernel. */
const userspaceWireguard: NeededProgram = {
  command: 'wireguard-go',
  debian: 'wireguard-go',
  fedora: null,
  use: 'agent',
  group: 'net',
};

const labPrograms: readonly NeededProgram[] = [
  { command: 'ping', debian: 'iputils-ping', fedora: 'iputils', use: 'lab', group: 'net' },
  { command: 'nsenter', debian: 'util-linux', fedora: 'util-linux-core', use: 'lab', group: 'net' },
];

const testPrograms: readonly NeededProgram[] = [
  { command: 'sysctl', debian: 'procps', fedora: 'procps-ng', use: 'tests', group: 'net' },
  { command: 'ps', debian: 'procps', fedora: 'procps-ng', use: 'tests', group: 'net' },
  { command: 'tcpdump', debian: 'tcpdump', fedora: 'tcpdump', use: 'tests', group: 'net' },
  { command: 'ip6tables-nft', debian: 'iptables', fedora: 'iptables-nft', use: 'tests', group: 'net' },
  { command: 'iperf3', debian: 'iperf3', fedora: 'iperf3', use: 'tests', group: 'net' },
  { command: 'debootstrap', debian: 'debootstrap', fedora: 'debootstrap', use: 'tests', group: 'net' },
  ...['/usr/lib/frr/bgpd', '/usr/lib/frr/zebra', '/usr/lib/frr/bfdd'].map(
    (command) => ({ command, debian: 'frr', fedora: 'frr', use: 'tests', group: 'net' }) as const,
  ),
  { command: 'curl', debian: 'curl', fedora: 'curl', use: 'tests', group: 'net' },
  { command: 'chromium', debian: 'chromium', fedora: 'chromium', use: 'tests', group: 'browser' },
  { command: 'redis-server', debian: 'redis-server', fedora: 'redis', use: 'tests', group: 'redis' },
  { command: 'openssl', debian: 'openssl', fedora: 'openssl', use: 'tests', group: 'openssl' },
];

const programsOf: Readonly<Record<MachineUse, readonly NeededProgram[]>> = {
  agent: agentPrograms,
  lab: [...agentPrograms, ...labPrograms],
  tests: [...agentPrograms, ...labPrograms, ...testPrograms],
};

/** What is missing for a use. The tests try both kinds of WireGuard, so they need the program in any case. */
export function missingPrograms(use: MachineUse, facts: MachineFacts): readonly NeededProgram[] {
  const missing = programsOf[use].filter(({ command }) => !facts.hasProgram(command));
  if (facts.hasProgram(userspaceWireguard.command)) return missing;
  return use === 'tests' || !facts.hasKernelWireguard() ? [...missing, userspaceWireguard] : missing;
}

/** Names of packages for a package manager, each once. */
export function packagesOf(
  programs: readonly NeededProgram[],
  family: 'debian' | 'fedora' = 'debian',
): readonly string[] {
  return [...new Set(programs.flatMap((program) => program[family] ?? []))];
}

/** For a person: the missing programs and the line that brings them. */
export function describeMissing(programs: readonly NeededProgram[]): string {
  const commands = programs.map(({ command }) => command).join(', ');
  return `missing: ${commands}. On Debian: apt-get install --no-install-recommends ${packagesOf(programs).join(' ')}`;
}

/** What the install script checks and installs before the agent is there to ask. */
export function agentNeeds(): {
  readonly programs: readonly NeededProgram[];
  readonly userspaceWireguard: NeededProgram;
} {
  return { programs: agentPrograms, userspaceWireguard };
}
