// `powernode agent status`: asks the running agent; when none runs, says what is on disk and in the kernel.
import { ProductError } from '@powernode/core/errors';
import { uptimeText } from '@powernode/core/routing/uptime';
import { KernelMachine, noListeners } from '../apply/kernel-machine.ts';
import { type AgentStatus, agentStatus, statusOf } from '../observe/status.ts';
import { systemClock } from '../ports/clock.ts';
import { systemRun } from '../ports/run.ts';
import { systemSettings } from '../ports/settings.ts';
import { askAgent } from '../state/control.ts';
import { CurrentDocument } from '../state/current-document.ts';
import { StateFolder } from '../state/folder.ts';
import { requireIdentity } from '../state/identity.ts';
import { nothingObserved, type ObservedState } from '../subsystems/observed.ts';
import { readOptions, stateDirDefault } from './options.ts';

export async function status(args: readonly string[]): Promise<number> {
  const options = readOptions(args, {
    'state-dir': { type: 'string', default: stateDirDefault },
    json: { type: 'boolean', default: false },
  });
  const folder = new StateFolder(options['state-dir']);
  const found = (await statusFromAgent(folder)) ?? (await statusFromDisk(folder));
  process.stdout.write(options.json ? `${JSON.stringify(found, null, 2)}\n` : render(found));
  return 0;
}

async function statusFromAgent(folder: StateFolder): Promise<AgentStatus | null> {
  const answer = await askAgent(folder, 'status');
  if (answer === null) return null;
  const parsed = agentStatus.safeParse(answer);
  if (parsed.success) return parsed.data;
  throw new ProductError(
    'protocol_mismatch',
    'The running agent is of another version; restart it and ask again.',
  );
}

async function statusFromDisk(folder: StateFolder): Promise<AgentStatus> {
  const held = new CurrentDocument(folder);
  const identity = requireIdentity(folder);
  return statusOf({
    identity,
    held: held.current,
    applied: null,
    observed: await lookIfPossible(folder),
    choices: new Map(),
    paths: [],
    bgpSessions: [],
    frr: null,
    leases: new Map(),
    nowMs: systemClock.nowMs(),
    problems: [],
    drift: [],
    connected: false,
    lostReason: identity.revoked_at === null ? 'the agent is not running' : 'this instance was revoked',
    pid: null,
  });
}

/** Without root or without the tools there is nothing to see, which is no reason to say nothing at all. */
async function lookIfPossible(folder: StateFolder): Promise<ObservedState> {
  const parts = { run: systemRun, clock: systemClock, settings: systemSettings, folder };
  const machine = new KernelMachine({ ...parts, ...noListeners, keys: null });
  return machine.lookAtEverything().catch(() => nothingObserved);
}

function render(found: AgentStatus): string {
  const lines = [
    `instance   ${found.instance_id} (${found.hostname})`,
    `platform   ${found.platform_url}: ${found.connected ? 'connected' : `not connected, ${found.disconnected_because ?? 'connecting'}`}`,
    `document   ${revisionText(found)}`,
    ...found.problems.map((problem) => `problem    ${problem.subsystem}: ${problem.detail}`),
  ];
  for (const one of found.interfaces) {
    const where = one.addresses.length > 0 ? one.addresses.join(', ') : 'no address of its own';
    lines.push(
      `${one.name.padEnd(10)} ${one.up ? 'up' : 'down'}, ${where}, port ${one.listen_port ?? '-'}, ${one.wireguard}`,
    );
    for (const peer of one.peers) {
      const seen =
        peer.last_handshake_at === null ? 'no handshake yet' : `handshake ${peer.last_handshake_at}`;
      const traffic = `${peer.rx_bytes} B in, ${peer.tx_bytes} B out`;
      lines.push(`  ${peer.public_key}  ${peer.endpoint ?? 'endpoint unknown'}  ${seen}  ${traffic}`);
    }
  }
  for (const path of found.paths) lines.push(pathText(path));
  if (found.frr !== null) lines.push(`frr        ${found.frr.state}, ${found.frr.message}`);
  for (const session of found.bgp_sessions) lines.push(sessionText(session, systemClock.nowMs()));
  for (const lease of found.leases)
    lines.push(`lease      ${lease.virtual_ip_id} ${lease.held ? 'held' : 'not held'}`);
  for (const route of found.routes)
    lines.push(`route      ${route.destination} through ${route.via ?? 'another route'}`);
  for (const drift of found.drift.slice(-5))
    lines.push(`repaired   ${drift.at} ${drift.key}: ${drift.detail}`);
  return `${lines.join('\n')}\n`;
}

function pathText(path: AgentStatus['paths'][number]): string {
  const rtt = path.rtt_ms === null ? 'never answered' : `${path.rtt_ms} ms`;
  return `${path.purpose.padEnd(10)} ${path.interface} to ${path.target} ${path.state} since ${path.since}, ${rtt}`;
}

function sessionText(session: AgentStatus['bgp_sessions'][number], nowMs: number): string {
  const { interface: name, neighbor, state, established_at: since, prefixes_received: count } = session;
  const up = since === null ? null : Math.max(0, Math.floor((nowMs - Date.parse(since)) / 1000));
  const uptime = up === null ? '' : ` for ${uptimeText(up)}`;
  const why = state === 'Established' || session.last_error === null ? '' : `, ${session.last_error}`;
  const prefixes = `${count} ${count === 1 ? 'prefix' : 'prefixes'} received`;
  return `bgp        ${name} with ${neighbor} ${state}${uptime}, ${prefixes}${why}`;
}

function revisionText(found: AgentStatus): string {
  if (found.held === null) return 'none yet';
  if (!found.running) return `revision ${found.held.revision} on disk`;
  if (found.applied?.hash === found.held.hash) return `revision ${found.held.revision}, applied`;
  return `revision ${found.held.revision} stored, not applied yet`;
}
