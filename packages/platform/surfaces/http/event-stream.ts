// GET /api/v1/events/stream: the account's events as server-sent events (WHATWG HTML §9.2), from where the reader
// left off (Last-Event-ID) and then live, with no gap and no event twice.
import { ProductError } from '@powernode/core/errors';
import type { Event } from '@powernode/core/intent/fleet';
import { eventBacklogMax, eventStreamsPerOperatorMax, streamPingMs } from '@powernode/core/limits';
import { showEvent } from '../../actions/fleet/present.ts';
import type { Caller } from '../../actions/invoke-types.ts';
import type { EventBus } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';

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
  readonly open: (request: EventStreamRequest) => Response;
  readonly count: () => number;
}

export function createEventStreams(parts: EventStreamParts): EventStreams {
  const perOperator = new Map<string, number>();
  let total = 0;
  return {
    count: () => total,
    open(request) {
      const { operatorId } = request.caller;
      const held = perOperator.get(operatorId) ?? 0;
      if (held >= eventStreamsPerOperatorMax) {
        throw new ProductError('rate_limited', `You hold ${held} event streams; close one first.`);
      }
      perOperator.set(operatorId, held + 1);
      total += 1;
      const onEnd = () => {
        perOperator.set(operatorId, (perOperator.get(operatorId) ?? 1) - 1);
        total -= 1;
      };
      return new Response(body(parts, { request, onEnd }), {
        headers: {
          'content-type': 'text/event-stream',
          'cache-control': 'no-store',
          'x-accel-buffering': 'no',
        },
      });
    },
  };
}

function body(
  parts: EventStreamParts,
  of: { readonly request: EventStreamRequest; readonly onEnd: () => void },
): ReadableStream<Uint8Array> {
  const { request, onEnd } = of;
  const encoder = new TextEncoder();
  let end = () => {};
  return new ReadableStream<Uint8Array>({
    async start(controller) {
      /** Live events that came while the past was being read; null once it is. */
      let waiting: Event[] | null = [];
      let ended = false;
      const send = (text: string) => {
        if (!ended) controller.enqueue(encoder.encode(text));
      };
      end = () => {
        if (ended) return;
        ended = true;
        unsubscribe();
        clearInterval(ping);
        onEnd();
      };
      const close = () => {
        if (ended) return;
        end();
        controller.close();
      };
      const unsubscribe = parts.bus.subscribe((message) => {
        if (message.kind !== 'event' || message.accountId !== request.caller.accountId) return;
        if (endsCaller(message.event, request.caller)) return close();
        if (!message.event.kind.startsWith(request.kindPrefix)) return;
        // A reader that does not keep up is let go; it comes back with its Last-Event-ID and misses nothing.
        const backlog = waiting?.length ?? -(controller.desiredSize ?? 0);
        if (backlog > eventBacklogMax) return close();
        if (waiting === null) send(frame(message.event));
        else waiting.push(message.event);
      });
      const ping = setInterval(() => send(': ping\n\n'), streamPingMs);
      send(': open\n\n');
      try {
        const past = await missed(parts, request);
        for (const event of past) send(frame(event));
        // There may be more: the reader comes back for it with the last that it got.
        if (past.length === eventBacklogMax) return close();
        const seen = new Set(past.map((event) => event.id));
        for (const event of waiting) if (!seen.has(event.id)) send(frame(event));
        waiting = null;
      } catch {
        // The reader comes back by itself; the failure is the database's and is logged there.
        close();
      }
    },
    cancel: () => end(),
  });
}

function frame(event: Event): string {
  return `id: ${event.id}\nevent: ${event.kind}\ndata: ${JSON.stringify(event)}\n\n`;
}

function endsCaller(event: Event, caller: Caller): boolean {
  const after = event.payload['after'] as { id?: unknown; disabled?: unknown } | null | undefined;
  return (
    (event.kind === 'system.api_token.revoked' && after?.id === caller.tokenId) ||
    (event.kind.startsWith('system.operator.') && after?.id === caller.operatorId && after.disabled === true)
  );
}

async function missed(parts: EventStreamParts, request: EventStreamRequest): Promise<Event[]> {
  const after = request.lastEventId;
  if (after === undefined || !/^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(after)) return [];
  const rows = await inAccount(parts.store, request.caller.accountId, (trx) =>
    trx
      .selectFrom('events')
      .selectAll()
      .where('account_id', '=', request.caller.accountId)
      .where('id', '>', after)
      .where((eb) => eb(eb.fn('starts_with', ['kind', eb.val(request.kindPrefix)]), '=', true))
      .orderBy('id')
      .limit(eventBacklogMax)
      .execute(),
  );
  return rows.map(showEvent);
}
