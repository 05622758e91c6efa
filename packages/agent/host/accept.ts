// Lets the agent's own traffic through the packet filter of the host, where the tool that wrote it has a place for
// that, and only when the machine's owner asked for it. What was done is kept, so that it can be taken back.
import { z } from 'zod';
import type { Command, Run } from '../ports/run.ts';
import type { StateFolder } from '../state/folder.ts';
import type { HostDrop } from './drops.ts';

/** The host's own; none of them is needed, and each is asked only where it wrote rules. */
const tools = { ufw: 'ufw', firewalld: 'firewall-cmd' } as const;

const doneFile = 'host-firewall.json';
const done = z.array(z.strictObject({ program: z.string(), args: z.array(z.string()) }));

/** What to run, and what takes it back. */
interface Change {
  readonly apply: readonly Command[];
  readonly undo: readonly Command[];
}

/** The changes that let a dropped packet through; empty: the tool has no place for it. */
export function acceptChanges({ what, tool, family, network, path }: HostDrop): Change[] {
  switch (tool) {
    case 'docker':
      if (what === 'input' || what === 'port' || what === 'local_mapping') return [];
      return [docker(family, [...interfaceWords(path, ['-i'], ['-o']), ...stateWords(path)])];
    case 'ufw':
      if (what === 'port') return [ufw(['allow', `${network.listenPort}/udp`])];
      // By its rules, what was translated cannot be told from what was sent to the port itself.
      if (what === 'local_mapping') return [];
      if (what === 'input') return [ufw(['allow', ...interfaceWords(path, ['in', 'on'], [])])];
      return [ufw(['allow', ...interfaceWords(path, ['in', 'on'], ['out', 'on'])], ['route'])];
    case 'firewalld':
      if (what === 'port') return [firewalld(`port=${network.listenPort}/udp`, [])];
      // An interface outside of overlays belongs to the zone that the machine's owner gave it.
      if (what === 'lan' || what === 'port_mapping' || what === 'local_mapping') return [];
      return [path.iif, path.oif].flatMap((name) =>
        name === null ? [] : firewalld(`interface=${name}`, ['--zone=trusted']),
      );
    case null:
      return [];
  }
}

/** The words of a command for the interfaces of a path that are known. */
function interfaceWords(
  { iif, oif }: HostDrop['path'],
  from: readonly string[],
  to: readonly string[],
): readonly string[] {
  return [...(iif === null ? [] : [...from, iif]), ...(oif === null ? [] : [...to, oif])];
}

/** Of a port mapping, what leaves the overlay answers what came in. */
function stateWords({ isReply }: HostDrop['path']): readonly string[] {
  return isReply === true ? ['-m', 'conntrack', '--ctstate', 'RELATED,ESTABLISHED'] : [];
}

function docker(family: 4 | 6, match: readonly string[]): Change {
  const program = family === 6 ? 'ip6tables' : 'iptables';
  const rule = ['DOCKER-USER', ...match, '-m', 'comment', '--comment', 'powernode', '-j', 'ACCEPT'];
  return {
    apply: [{ program, args: ['-w', '-I', ...rule] }],
    undo: [{ program, args: ['-w', '-D', ...rule] }],
  };
}

function ufw(rule: readonly string[], head: readonly string[] = []): Change {
  return {
    apply: [{ program: tools.ufw, args: [...head, ...rule, 'comment', 'powernode'] }],
    undo: [{ program: tools.ufw, args: [...head, 'delete', ...rule] }],
  };
}

/** Now, and in what it loads at its next start. */
function firewalld(what: string, zone: readonly string[]): Change {
  const both = (verb: 'add' | 'remove') =>
    [[], ['--permanent']].map((kept) => ({
      program: tools.firewalld,
      args: ['--quiet', ...kept, ...zone, `--${verb}-${what}`],
    }));
  return { apply: both('add'), undo: both('remove') };
}

export class HostAcceptance {
  readonly #run: Run;
  readonly #folder: StateFolder;

  constructor(parts: { readonly run: Run; readonly folder: StateFolder }) {
    this.#run = parts.run;
    this.#folder = parts.folder;
  }

  /** Returns the commands that worked. Their undoing is on disk before they run. */
  async accept(drops: readonly HostDrop[]): Promise<Command[]> {
    const worked: Command[] = [];
    for (const change of uniqueChanges(drops)) {
      this.#remember(change.undo);
      for (const command of change.apply) {
        const outcome = await this.#run.attempt(command).catch(() => null);
        if (outcome?.exitCode === 0) worked.push(command);
      }
    }
    return worked;
  }

  /** Takes back all that was ever done; what is gone already is no failure. */
  async takeBack(): Promise<void> {
    for (const command of this.#done()) await this.#run.attempt(command).catch(() => null);
    this.#folder.remove(doneFile);
  }

  #remember(undo: readonly Command[]): void {
    const known = new Map(this.#done().map((command) => [keyOf(command), command]));
    for (const { program, args } of undo) known.set(keyOf({ program, args }), { program, args: [...args] });
    this.#folder.write(doneFile, JSON.stringify([...known.values()]));
  }

  #done() {
    const text = this.#folder.read(doneFile);
    if (text === null) return [];
    try {
      return done.parse(JSON.parse(text));
    } catch {
      return [];
    }
  }
}

function uniqueChanges(drops: readonly HostDrop[]): Change[] {
  const changes = new Map<string, Change>();
  for (const change of drops.flatMap(acceptChanges)) changes.set(change.apply.map(keyOf).join(';'), change);
  return [...changes.values()];
}

function keyOf({ program, args }: Command): string {
  return [program, ...args].join(' ');
}
