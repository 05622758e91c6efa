// The event bus over Redis, for several platform processes on one database. What this process publishes reaches its
// own listeners at once and the others through Redis; when Redis is away, only the latter waits, and delivery's
// look at the database (every few seconds) makes up for what was missed.
import { ProductError } from '@powernode/core/errors';
import type { Logger } from 'pino';
import { createClient } from 'redis';
import { decodeEnvelope, encodeEnvelope } from './bus-message.ts';
import { type EventBus, inProcessBus } from './event-bus.ts';

const channel = 'powernode';

export interface RedisBusParts {
  readonly url: string;
  readonly log: Logger;
  /** Tells this process from the others. */
  readonly processId: string;
  readonly onListenerError: (error: unknown) => void;
}

export async function redisBus(parts: RedisBusParts): Promise<EventBus> {
  const local = inProcessBus(parts.onListenerError);
  const publisher = createClient({ url: parts.url, disableOfflineQueue: true });
  const subscriber = publisher.duplicate();
  for (const client of [publisher, subscriber]) {
    client.on('error', (error: unknown) => parts.log.warn({ err: error }, 'redis does not answer'));
  }
  try {
    await publisher.connect();
    await subscriber.connect();
  } catch (error) {
    publisher.destroy();
    subscriber.destroy();
    throw new ProductError(
      'invalid_configuration',
      'The Redis server of REDIS_URL does not answer. Start it, or leave REDIS_URL out for a single process.',
      { cause: error },
    );
  }
  await subscriber.subscribe(channel, (text) => {
    const envelope = decodeEnvelope(text);
    if (envelope === null) parts.log.warn('a message on redis could not be read');
    else if (envelope.from !== parts.processId) local.publish(envelope.message);
  });
  return {
    publish(message) {
      local.publish(message);
      publisher.publish(channel, encodeEnvelope(parts.processId, message)).catch((error: unknown) => {
        parts.log.warn({ err: error }, 'a message could not be published on redis');
      });
    },
    subscribe: (listener) => local.subscribe(listener),
    async close() {
      await local.close();
      publisher.destroy();
      subscriber.destroy();
    },
  };
}
