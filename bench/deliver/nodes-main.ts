// The program of the second process: thousands of simulated nodes, each with its own mutual TLS stream, told what to
// do by the benchmark over IPC (nodes-messages.ts). Ends with the benchmark.
import { readFileSync } from 'node:fs';
import { type NodeCredentials, SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { Arrivals } from './arrivals.ts';
import { randomKey } from './fleet.ts';
import type { Answers, Order, OrderKind, Resynced } from './nodes-messages.ts';

const [nodeUrl = '', credentialsFile = ''] = process.argv.slice(2);
const credentials = JSON.parse(readFileSync(credentialsFile, 'utf8')) as NodeCredentials[];
/** What an agent keeps published. */
const unusedKeys = 8;

const arrivals = new Arrivals(credentials.length);
const nodes = credentials.map(
  (one, index) =>
    new SimulatedNode({
      nodeUrl,
      credentials: one,
      unusedKeys: Array.from({ length: unusedKeys }, randomKey),
      onMessage: (message, bytes) => arrivals.note(index, message, bytes),
    }),
);

interface Some {
  readonly from: number;
  readonly to: number;
}

function numbers({ from, to }: Some): number[] {
  return Array.from({ length: to - from }, (_, i) => from + i);
}

/** Opens a stream and waits for what the node should hold. */
async function connect(index: number): Promise<void> {
  const heard = arrivals.until([index], (message) => message.kind !== 'welcome');
  await nodes[index]?.connect();
  await heard;
}

async function connectSome(some: Some & { readonly atOnce: number }): Promise<void> {
  const waiting = numbers(some);
  const work = async () => {
    for (let index = waiting.shift(); index !== undefined; index = waiting.shift()) await connect(index);
  };
  await Promise.all(Array.from({ length: some.atOnce }, work));
}

async function poll(some: Some): Promise<void> {
  for (const index of numbers(some)) {
    await connect(index);
    nodes[index]?.drop();
  }
}

async function resync(some: Some): Promise<Resynced> {
  arrivals.forget();
  const begunAtMs = Date.now();
  const all = arrivals.until(numbers(some), (message) => message.kind === 'document');
  for (const node of nodes.slice(some.from, some.to)) node.say({ kind: 'resync' });
  const { lastAtMs } = await all;
  return { begunAtMs, lastAtMs, bytes: arrivals.total() };
}

async function perform(order: Order): Promise<Answers[OrderKind]> {
  switch (order.kind) {
    case 'connect':
      await connectSome(order);
      return null;
    case 'drop':
      for (const node of nodes.slice(order.from, order.to)) node.drop();
      return null;
    case 'poll':
      await poll(order);
      return null;
    case 'forget':
      arrivals.forget();
      return null;
    case 'resync':
      return resync(order);
    case 'held':
      return arrivals.held(order.revision, order.nodes);
    case 'bytes':
      return arrivals.bytes(order.nodes);
    case 'end':
      for (const node of nodes) node.drop();
      return null;
  }
}

process.on('message', (order: Order) => {
  void perform(order).then(
    (answer) => process.send?.(answer),
    (error: unknown) => {
      process.stderr.write(`${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`);
      process.exit(1);
    },
  );
});
process.on('disconnect', () => process.exit(0));
