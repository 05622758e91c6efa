// Test support: a daemon of FRR as far as its vty goes. It keeps lines in sections, refuses what it does not know in
// FRR's words, and misbehaves when told to.
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { isOpener, negated } from './config-lines.fixture.ts';

interface Line {
  readonly text: string;
  readonly below: Line[];
}

interface Session {
  /** null: not configuring; else the sections that were entered. */
  sections: Line[] | null;
}

/** What it does with a command instead of answering. */
export type Fault = 'hang' | 'drop' | 'part' | 'flood';

const known =
  /^(router bgp|address-family|neighbor|network|timers|bgp|route-map|match|set|call|bfd|profile|transmit-interval|receive-interval|description|ip prefix-list|ipv6 prefix-list|no) /;

export class FakeDaemon {
  readonly path: string;
  /** Everything that it was sent, in order. */
  readonly log: string[] = [];
  /** What shows print. */
  readonly answers = new Map<string, string>();
  readonly faults = new Map<string, Fault>();
  /** Lines that it accepts and forgets. */
  readonly unkept = new Set<string>();
  readonly #folder: string;
  readonly #sockets = new Set<Socket>();
  #server: Server | null = null;
  #lines: Line[] = [];

  constructor() {
    this.#folder = mkdtempSync(path.join(tmpdir(), 'powernode-frr-'));
    this.path = path.join(this.#folder, 'bgpd.vty');
  }

  async start(): Promise<this> {
    const server = createServer((socket) => this.#serve(socket));
    this.#server = server;
    await new Promise<void>((resolve) => server.listen(this.path, resolve));
    return this;
  }

  /** Dies as by a signal; what was configured is gone. */
  async kill(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#lines = [];
    const server = this.#server;
    this.#server = null;
    if (server !== null) await new Promise<void>((resolve) => server.close(() => resolve()));
  }

  async restart(): Promise<void> {
    await this.kill();
    await this.start();
  }

  async end(): Promise<void> {
    await this.kill();
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get running(): string {
    return `frr version 8.4.4\n!\n${printed(this.#lines, 0)}!\nend\n`;
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    const session: Session = { sections: null };
    let rest = '';
    socket.setEncoding('utf8');
    socket.on('error', () => undefined);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('data', (chunk) => {
      const commands = (rest + String(chunk)).split('\0');
      rest = commands.pop() ?? '';
      for (const command of commands) this.#answer(socket, session, command);
    });
  }

  #answer(socket: Socket, session: Session, command: string): void {
    this.log.push(command);
    switch (this.faults.get(command.trim())) {
      case undefined:
        break;
      case 'hang':
        return;
      case 'drop':
        socket.destroy();
        return;
      case 'part':
        socket.end('half of an ans');
        return;
      case 'flood': {
        const more = () => {
          while (!socket.destroyed && socket.write('x'.repeat(1_000_000)));
        };
        socket.on('drain', more);
        return more();
      }
    }
    const { text, code } = this.#carryOut(session, command.trim());
    // In pieces, as a kernel may give them.
    socket.write(text);
    socket.write(Buffer.from([0, 0]));
    socket.write(Buffer.from([0, code]));
  }

  #carryOut(session: Session, command: string): { readonly text: string; readonly code: number } {
    const done = { text: '', code: 0 };
    const unknown = { text: `% [BGP] Unknown command: ${command}\n`, code: 2 };
    if (command === 'enable' || command === '' || command.startsWith('clear bgp ')) return done;
    if (command === 'show running-config') return { text: this.running, code: 0 };
    if (command.startsWith('show ')) {
      const text = this.answers.get(command);
      return text === undefined ? unknown : { text, code: 0 };
    }
    if (command === 'configure terminal') session.sections = [];
    else if (command === 'end') session.sections = null;
    else if (command === 'exit' || command === 'exit-address-family') session.sections?.pop();
    else if (session.sections === null || !known.test(`${command} `)) return unknown;
    else return this.#configure(session.sections, command);
    return done;
  }

  #configure(sections: Line[], command: string): { readonly text: string; readonly code: number } {
    const lines = sections.at(-1)?.below ?? this.#lines;
    if (/ remote-as (0|\d{11,})$/.test(command)) {
      return { text: `% [BGP] Unknown command: ${command}\n`, code: 2 };
    }
    // FRR answers so, with success, where the value is of the right type and out of range.
    if (/^set local-preference [a-z]/.test(command)) {
      return { text: '% [BGP] Argument form is unsupported or malformed.\n', code: 0 };
    }
    const before = lines.findIndex(({ text }) => text === negated(command));
    if (before >= 0) lines.splice(before, 1);
    else if (command.startsWith('no network '))
      return { text: "% Can't find static route specified\n", code: 13 };
    // Off by default is the only one that is a line of its own when it is negated.
    if (this.unkept.has(command) || before >= 0) return { text: '', code: 0 };
    if (command.startsWith('no ') && !/^no bgp (default|network) /.test(command))
      return { text: '', code: 0 };
    let line = lines.find(({ text }) => text === command);
    if (line === undefined) {
      line = { text: command, below: [] };
      lines.push(line);
    }
    if (isOpener(command, sections.length)) sections.push(line);
    return { text: '', code: 0 };
  }
}

function printed(lines: readonly Line[], depth: number): string {
  return lines
    .map(({ text, below }) => {
      const indent = ' '.repeat(depth);
      const inside = printed(below, depth + 1);
      return `${indent}${text}\n${inside}${isOpener(text, depth) ? `${indent}exit\n` : ''}`;
    })
    .join('');
}
