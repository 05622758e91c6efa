// Test support: a process of the platform that runs operations and kills itself at a point: before, or right after it has
// sent, the statement of that number. Its arguments: the database, the number, and `before` or `sent`.
import { pino } from 'pino';
import { inProcessBus } from '../../../events/event-bus.ts';
import { openStore } from '../../../store/open-store.ts';
import { systemClock } from '../../../trust/clock.ts';
import { operationKinds } from '../kind.ts';
import { OperationRunner } from '../runner.ts';
import { bareServices, makingKind } from './kinds.fixture.ts';

const [databaseUrl = '', at = '', when = ''] = process.argv.slice(2);
const log = pino({ level: 'silent' });
const store = await openStore({ dataDir: '', databaseUrl, log });
let sent = 0;
const die = () => process.kill(process.pid, 'SIGKILL');

store.pool.on('connect', (client) => {
  const query = client.query.bind(client) as (...args: unknown[]) => unknown;
  client.query = ((...args: unknown[]) => {
    sent += 1;
    if (sent === Number(at) && when === 'before') die();
    const answer = query(...args);
    // What is written to the socket reaches the server, whatever becomes of the process.
    if (sent === Number(at) && when === 'sent') setImmediate(die);
    return answer;
  }) as typeof client.query;
});

const stopping = new AbortController();
const woken = () => {
  next.resolve();
  next = Promise.withResolvers();
};
let next = Promise.withResolvers<void>();
const runner = new OperationRunner({
  store,
  bus: inProcessBus(() => undefined),
  services: bareServices,
  kinds: operationKinds([makingKind]),
  clock: systemClock,
  log,
  random: () => 0,
  wake: woken,
});

/** Until nothing that it runs is left. */
for (;;) {
  await runner.look(stopping.signal);
  await runner.idle();
  const { rows } = await store.pool.query<{ open: number }>(
    `select count(*)::int as open from (select set_config('powernode.scope', 'platform', false)) s, operations
     where ended_at is null and kind = $1`,
    [makingKind.name],
  );
  if ((rows[0]?.open ?? 0) === 0) break;
  await new Promise((resolve) => setTimeout(resolve, 2));
}
process.stdout.write(`${sent}\n`);
await store.close();
