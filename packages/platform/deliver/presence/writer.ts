// Writes who came and went, batch after batch, and publishes the events. A batch is kept while the database is away.
import { ProductError } from '@powernode/core/errors';
import { reportRetryMs, reportRowsMax } from '@powernode/core/limits/node-stream';
import type { Logger } from 'pino';
import { type EventBus, publishEvents } from '../../events/event-bus.ts';
import type { Store } from '../../store/open-store.ts';
import { inAccount } from '../../store/tenancy.ts';
import type { Clock } from '../../trust/clock.ts';
import { type PresenceBatch, writePresence } from './presence-rows.ts';

export interface PresenceWriterParts {
  readonly store: Pick<Store, 'db'>;
  readonly bus: EventBus;
  readonly clock: Clock;
  readonly log: Logger;
}

type Batch = Omit<PresenceBatch, 'clock'>;

export class PresenceWriter {
  readonly #parts: PresenceWriterParts;
  #writing: Promise<void> = Promise.resolve();
  #closed = false;

  constructor(parts: PresenceWriterParts) {
    this.#parts = parts;
  }

  write(batch: Batch): void {
    for (const part of partsOf(batch)) this.#writing = this.#writing.then(() => this.#write(part));
  }

  /** Waits for what is being written. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#writing;
  }

  async #write(batch: Batch): Promise<void> {
    const { store, bus, clock, log } = this.#parts;
    try {
      const events = await inAccount(store, batch.accountId, (trx) =>
        writePresence(trx, { ...batch, clock }),
      );
      publishEvents(bus, events);
    } catch (error) {
      if (error instanceof ProductError && error.code === 'database_unavailable' && !this.#closed) {
        log.warn(
          { err: error, accountId: batch.accountId },
          'who came and went is kept until the database answers',
        );
        await new Promise<void>((resolve) => clock.after(reportRetryMs, resolve));
        return this.#write(batch);
      }
      log.error({ err: error, accountId: batch.accountId }, 'who came and went could not be written');
    }
  }
}

function* partsOf(batch: Batch): Generator<Batch> {
  for (let at = 0; at < batch.machines.length; at += reportRowsMax) {
    yield { ...batch, machines: batch.machines.slice(at, at + reportRowsMax), peers: [] };
  }
  for (let at = 0; at < batch.peers.length; at += reportRowsMax) {
    yield { ...batch, machines: [], peers: batch.peers.slice(at, at + reportRowsMax) };
  }
}
