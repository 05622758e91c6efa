// GET /api/v1/events/stream: the account's events as server-sent events (WHATWG HTML §9.2), from where the reader
// left off (Last-Event-ID) and then live, with no gap and no event twice.
import { ProductError } from '@powernode/core/errors';
import { idShape } from '@powernode/core/ids';
import type { Event } from '@powernode/core/intent/fleet';
import { streamPingMs } from '@powernode/core/limits/node-stream';
import { eventStreamBatchMax, eventStreamsPerOperatorMax } from '@powernode/core/limits/requests';
import { showEvent } from '../../actions/fleet/present.ts';
import type { Caller } from '../../actions/invoke-types.ts';
import type { EventBus } from '../../events/event-bus.ts';
import { lastEventId, platformActor, timeOfId } from '../../events/write-events.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';

/** Told to a reader whose last event is older than what is kept. */
export const eventsDeleted = 'system.events.deleted';

export interface EventStreamParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
}

export interface EventStreamRequest {
  readonly caller: Caller;
  readonly kindPrefix: string;
  readonly lastEventId: string | undefined;
}

export interface EventStreams {
  /** Whatever is written after this has answered is told. */
  readonly open: (request: EventStreamRequest) => Promise<Response>;
  readonly count: () => number;
}

export function createEventStreams(parts: EventStreamParts): EventStreams {
  const perOperator = new Map<string, number>();
  let total = 0;
  return {
    count: () => total,
    async open(request) {
      const { operatorId } = request.caller;
      const held = perOperator.get(operatorId) ?? 0;
      if (held >= eventStreamsPerOperatorMax) {
        throw new ProductError('rate_limited', `You hold ${held} event streams; close one first.`);
      }
      perOperator.set(operatorId, held + 1);
      total += 1;
      const stream = new EventStream(parts, request, () => {
        perOperator.set(operatorId, (perOperator.get(operatorId) ?? 1) - 1);
        total -= 1;
      });
      const body = await stream.open();
      return new Response(body, {
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        },
      });
    },
  };
}

/**
 * Every event is read from the database, in its order; the bus only says when to look. So a reader that is slow, or a
 * bus that lost a message, costs time and no event. A slow reader is not read for: `pull` waits until it took the last.
 */
class EventStream {
  readonly #parts: EventStreamParts;
  readonly #request: EventStreamRequest;
  readonly #onEnd: () => void;
  readonly #unsubscribe: () => void;
  readonly #encoder = new TextEncoder();
  #controller: ReadableStreamDefaultController<Uint8Array> | null = null;
  #ping: NodeJS.Timeout | undefined;
  #ended = false;
  /** The last event that the reader has. */
  #last = '';
  /** There may be events after the last. */
  #news = true;
  #wake = () => {};

  /** Listens at once: something may happen while its stream opens. */
  constructor(parts: EventStreamParts, request: EventStreamRequest, onEnd: () => void) {
    this.#parts = parts;
    this.#request = request;
    this.#onEnd = onEnd;
    const { caller } = request;
    this.#unsubscribe = parts.bus.subscribe((message) => {
      if (message.kind !== 'event' || message.accountId !== caller.accountId) return;
      this.#look();
    });
  }

  async open(): Promise<ReadableStream<Uint8Array>> {
    const { accountId } = this.#request.caller;
    let newest: string;
    try {
      newest = await inAccount(this.#parts.store, accountId, (trx) => lastEventId(trx, accountId));
    } catch (error) {
      this.#end();
      throw error;
    }
    // A reader may name an event that is not there any more, such as one from before a backup was restored.
    const named = this.#request.lastEventId ?? '';
    this.#last = idShape.test(named) && named < newest ? named : newest;
    return new ReadableStream<Uint8Array>({
      start: (controller) => this.#start(controller),
      pull: (controller) => this.#pull(controller),
      cancel: () => this.#end(),
    });
  }

  #start(controller: ReadableStreamDefaultController<Uint8Array>): void {
    if (this.#ended) return controller.close();
    this.#controller = controller;
    this.#ping = setInterval(() => {
      if ((controller.desiredSize ?? 0) > 0) controller.enqueue(this.#encoder.encode(': ping\n\n'));
      this.#look();
    }, streamPingMs);
    controller.enqueue(this.#encoder.encode(': open\n\n'));
  }

  async #pull(controller: ReadableStreamDefaultController<Uint8Array>): Promise<void> {
    const { kindPrefix } = this.#request;
    let frames = '';
    while (frames === '') {
      if (!this.#news) await new Promise<void>((resolve) => (this.#wake = resolve));
      if (this.#ended) return;
      this.#news = false;
      const read = await this.#read().catch(() => null);
      if (this.#ended) return;
      // Without a database the reader comes back by itself; the failure is logged where it is.
      if (read === null) return this.#close();
      const { gap, events } = read;
      if (gap !== null || events.length === eventStreamBatchMax) this.#news = true;
      this.#last = events.at(-1)?.id ?? gap?.id ?? this.#last;
      const sent = events.filter((event) => event.kind.startsWith(kindPrefix));
      // Whichever kinds it reads, it may have missed some of them.
      frames = [...(gap === null ? [] : [gap]), ...sent].map(frame).join('');
    }
    controller.enqueue(this.#encoder.encode(frames));
  }

  /** What follows the last event, and first of all that some of it is gone, where it is. */
  async #read(): Promise<{ readonly gap: Event | null; readonly events: Event[] }> {
    const { accountId } = this.#request.caller;
    return inAccount(this.#parts.store, accountId, async (trx) => {
      const rows = await trx
        .selectFrom('events')
        .selectAll()
        .where('account_id', '=', accountId)
        .where('id', '>', this.#last)
        .orderBy('id')
        .limit(eventStreamBatchMax)
        .execute();
      // Asked afterwards: what was deleted before the events were read is in the answer.
      const account = await trx
        .selectFrom('accounts')
        .select('events_deleted_to')
        .where('id', '=', accountId)
        .executeTakeFirstOrThrow();
      const { events_deleted_to: deletedTo } = account;
      if (deletedTo === null || deletedTo <= this.#last) return { gap: null, events: rows.map(showEvent) };
      const rest = rows.filter((row) => row.id > deletedTo);
      return { gap: this.#gap(accountId, deletedTo), events: rest.map(showEvent) };
    });
  }

  /** In no table: it is for this reader, which goes on from its id. */
  #gap(accountId: string, deletedTo: string): Event {
    return {
      id: deletedTo,
      account_id: accountId,
      kind: eventsDeleted,
      severity: 'warning',
      at: timeOfId(deletedTo).toISOString(),
      actor: platformActor,
      correlation_id: deletedTo,
      payload: {
        last_event_id: this.#last,
        deleted_to: deletedTo,
        detail:
          'Events after the last one that you have were deleted, because they are not kept so long. Read the present state anew; what follows is complete.',
      },
    };
  }

  #look(): void {
    this.#news = true;
    this.#wake();
  }

  #close(): void {
    if (this.#ended) return;
    this.#end();
    this.#controller?.close();
  }

  #end(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.#unsubscribe();
    clearInterval(this.#ping);
    this.#wake();
    this.#onEnd();
  }
}

function frame(event: Event): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}
