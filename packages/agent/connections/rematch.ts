// Matches connections against the rules again when rules have changed: the kernel lets the packets of a connection
// through that was allowed when it began, so one that the rules no longer allow would go on without end.
//
// Such a connection is not deleted but marked (nftables/chains/entrance.ts refuses what is marked): after a deletion
// the next packet of either side would begin a new connection, in the direction that the rules may still allow.
import { rematchAgainMs, rematchCallsMax } from '@powernode/core/limits/agent';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { Logger } from 'pino';
import type { NodeProblems } from '../observe/problems.ts';
import type { Clock } from '../ports/clock.ts';
import { type Command, complaint, mustRun, type Run } from '../ports/run.ts';
import { AllowedConnections, isSameAboutConnections } from './allowed.ts';
import { type HostEnds, hostEndsOf } from './host-ends.ts';
import { type Connection, isMarked, listCommands, markCommands, readConnections } from './listing.ts';

export interface RematchParts {
  readonly run: Run;
  readonly clock: Pick<Clock, 'after'>;
  readonly log: Pick<Logger, 'info' | 'warn'>;
  readonly problems: Pick<NodeProblems, 'set'>;
  readonly host: { readonly bridges: readonly string[] };
  /** As they are when connections are matched; of the process's own network namespace by default. */
  readonly hostEnds?: (bridges: readonly string[]) => HostEnds;
}

/** Who says in the list of problems that connections could not be matched. */
const source = 'rematch';

export class Rematch {
  readonly #parts: RematchParts;
  /** null: not known, for the last time failed half way. */
  #matched: NodeDocument | null = NodeDocument.empty;
  #wanted: NodeDocument | null = null;
  #working: Promise<void> | null = null;
  #cancelAgain: (() => void) | null = null;

  constructor(parts: RematchParts) {
    this.#parts = parts;
  }

  /** The kernel evaluates by this document from here on. */
  applied(document: NodeDocument): void {
    const matched = this.#wanted === null ? this.#matched : null;
    if (matched !== null && isSameAboutConnections(document, matched)) return;
    this.#want(document);
  }

  #want(wanted: NodeDocument): void {
    this.#cancelAgain?.();
    this.#cancelAgain = null;
    this.#wanted = wanted;
    this.#working ??= this.#work();
  }

  /** Resolves when nothing is being matched, nor will be by itself. */
  async stop(): Promise<void> {
    await this.#working;
    this.#cancelAgain?.();
    this.#cancelAgain = null;
  }

  async #work(): Promise<void> {
    for (let wanted = this.#wanted; wanted !== null; wanted = this.#wanted) {
      this.#wanted = null;
      try {
        await this.#match(wanted);
        this.#matched = wanted;
      } catch (error) {
        const text = 'connections could not be re-evaluated against the firewall rules';
        if (this.#matched !== null) this.#parts.log.warn({ err: error }, text);
        this.#matched = null;
        this.#parts.problems.set(source, [
          {
            code: 'connections_not_rematched',
            detail:
              'Connections that are no longer allowed may continue, because the connection table cannot be read or changed. The agent retries; its log has the error of conntrack.',
          },
        ]);
        if (this.#wanted === null)
          this.#cancelAgain = this.#parts.clock.after(rematchAgainMs, () => this.#want(wanted));
      }
    }
    this.#working = null;
  }

  async #mark(command: Command): Promise<void> {
    const outcome = await this.#parts.run.attempt(command);
    if (!isMarked(outcome)) throw complaint(command, outcome);
  }

  async #match(document: NodeDocument): Promise<void> {
    const { log, problems, host, hostEnds = hostEndsOf } = this.#parts;
    const allowed = new AllowedConnections(document, hostEnds(host.bridges));
    const connections = await this.#listed(allowed);
    const denied = connections.filter((one) => !one.isEnded && !allowed.allows(one));
    const again = connections.filter((one) => one.isEnded && allowed.allows(one));
    const commands = [...markCommands(denied, 'ended'), ...markCommands(again, 'open')];
    for (let first = 0; first < commands.length; first += rematchCallsMax) {
      const batch = commands.slice(first, first + rematchCallsMax);
      await Promise.all(batch.map((command) => this.#mark(command)));
    }
    problems.set(source, []);
    const [ended, reopened] = [denied.length, again.length];
    if (ended + reopened > 0)
      log.info({ ended, reopened }, 'connections were re-evaluated against the firewall rules');
  }

  async #listed({ ends }: AllowedConnections): Promise<Connection[]> {
    const connections = new Map<string, Connection>();
    for (const command of listCommands(ends)) {
      for (const one of readConnections(await mustRun(this.#parts.run, command)))
        connections.set(one.tuple, one);
    }
    return [...connections.values()];
  }
}
