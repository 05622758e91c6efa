// Matches connections against the rules again when rules have changed: the kernel lets the packets of a connection
// through that was allowed when it began, so one that the rules no longer allow would go on without end.
//
// Such a connection is not deleted but marked (nftables/chains/entrance.ts refuses what is marked): after a deletion
// the next packet of either side would begin a new connection, in the direction that the rules may still allow.
import {
  agentOutputBytesMax,
  rematchAgainMaxMs,
  rematchAgainMs,
  rematchCallsMax,
  rematchNamedMax,
} from '@powernode/core/limits/agent';
import { NodeDocument } from '@powernode/core/wire/node-document';
import type { Logger } from 'pino';
import type { NodeProblems } from '../observe/problems.ts';
import type { Clock } from '../ports/clock.ts';
import { type Command, complaint, isTooLong, mustRun, type Run } from '../ports/run.ts';
import { AllowedConnections, isSameAboutConnections } from './allowed.ts';
import { type HostEnds, hostEndsOf } from './host-ends.ts';
import {
  type Connection,
  isMarked,
  type Listing,
  listingsOf,
  markCommands,
  readConnections,
} from './listing.ts';

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
  /** How often in a row a match has failed. */
  #failures = 0;
  /** What the last one failed with; the same is not logged again. */
  #logged: string | null = null;

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
        const missing = await this.#match(wanted);
        if (missing.length > 0) this.#failed(wanted, { detail: tooLongDetail(missing), error: null });
        else {
          this.#matched = wanted;
          this.#logged = null;
          this.#failures = 0;
          this.#parts.problems.set(source, []);
        }
      } catch (error) {
        this.#failed(wanted, { detail: unreadableDetail, error });
      }
    }
    this.#working = null;
  }

  #failed(wanted: NodeDocument, why: { readonly detail: string; readonly error: unknown }): void {
    const { log, problems, clock } = this.#parts;
    const { detail, error } = why;
    const text = 'connections could not be re-evaluated against the firewall rules';
    const news = error instanceof Error ? error.message : detail;
    if (news !== this.#logged) log.warn(error === null ? { detail } : { err: error }, text);
    this.#logged = news;
    this.#matched = null;
    problems.set(source, [{ code: 'connections_not_rematched', detail }]);
    const againMs = Math.min(rematchAgainMs * 2 ** this.#failures++, rematchAgainMaxMs);
    if (this.#wanted === null) this.#cancelAgain = clock.after(againMs, () => this.#want(wanted));
  }

  async #mark(command: Command): Promise<void> {
    const outcome = await this.#parts.run.attempt(command);
    if (!isMarked(outcome)) throw complaint(command, outcome);
  }

  /** The listings that were too long: of what only they have, nothing is matched. */
  async #match(document: NodeDocument): Promise<readonly Listing[]> {
    const { log, host, hostEnds = hostEndsOf } = this.#parts;
    const allowed = new AllowedConnections(document, hostEnds(host.bridges));
    const { denied, again, missing } = await this.#changes(allowed);
    const commands = [...markCommands(denied, 'ended'), ...markCommands(again, 'open')];
    for (let first = 0; first < commands.length; first += rematchCallsMax) {
      const batch = commands.slice(first, first + rematchCallsMax);
      await Promise.all(batch.map((command) => this.#mark(command)));
    }
    const [ended, reopened] = [denied.length, again.length];
    if (ended + reopened > 0)
      log.info({ ended, reopened }, 'connections were re-evaluated against the firewall rules');
    return missing;
  }

  async #changes(allowed: AllowedConnections) {
    const denied = new Map<string, Connection>();
    const again = new Map<string, Connection>();
    const missing: Listing[] = [];
    for (const listing of listingsOf(allowed.ends)) {
      const text = await this.#textOf(listing.command);
      if (text === null) missing.push(listing);
      for (const one of readConnections(text ?? '')) {
        if (one.isEnded === allowed.allows(one)) (one.isEnded ? again : denied).set(one.tuple, one);
      }
    }
    return { denied: [...denied.values()], again: [...again.values()], missing };
  }

  /** null: it is too long to be read. */
  async #textOf(command: Command): Promise<string | null> {
    try {
      return await mustRun(this.#parts.run, command);
    } catch (error) {
      if (isTooLong(error)) return null;
      throw error;
    }
  }
}

const unreadableDetail =
  'Connections that are no longer allowed may continue, because the connection table cannot be read or changed. The agent retries; its log has the error of conntrack.';

/** At most `nodeProblemDetailMax` characters: a prefix has 43. */
function tooLongDetail(missing: readonly Listing[]): string {
  const named = missing.slice(0, rematchNamedMax).map(({ which }) => `those ${which}`);
  const more = missing.length - named.length;
  const which = `${named.join(', ')}${more > 0 ? ` and ${more} more lists` : ''}`;
  const megabytes = Math.floor(agentOutputBytesMax / 1024 / 1024);
  return `Connections that are no longer allowed may continue among ${which}: conntrack lists more than ${megabytes} MB of them. All others are re-evaluated. The agent retries; find the address that has so many with \`conntrack -L\` and close its connections.`;
}
