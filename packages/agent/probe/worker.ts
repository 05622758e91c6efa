// The prober's thread: gives the engine its sockets, its clock and its turns. A thread of its own, with priority over
// everything else of the agent, because a prober that is late takes living paths for dead, and is taken for dead.
import { randomBytes } from 'node:crypto';
import os from 'node:os';
import { parentPort } from 'node:worker_threads';
import { agentCollectMs } from '@powernode/core/limits/agent';
import { leaseCommandMs } from '@powernode/core/limits/failover';
import { probePort, probeTickMs } from '@powernode/core/limits/probe';
import { toolEnvironment } from '../ports/run.ts';
import { collectGarbage } from '../process-memory.ts';
import { ActiveLeaseSets } from './active-lease-sets.ts';
import type { ProberConfig } from './config.ts';
import { Engine } from './engine.ts';
import type { FromProber, ToProber } from './messages.ts';
import { type Local, Sockets } from './sockets.ts';

/** Above all that an administrator starts, below what keeps the machine itself alive. */
const priority = -15;

const port = parentPort;
if (port === null) throw new Error('worker.ts is the prober’s thread and is started by prober.ts');
const nowMs = () => performance.now();
const post = (message: FromProber) => port.postMessage(message);

try {
  // On Linux this is the thread's alone.
  os.setPriority(priority);
} catch {
  // Not permitted (a container): then it has to do as it is.
}

const sockets = new Sockets((bytes, at) => engine.received(bytes, at, nowMs()));
let retry: NodeJS.Timeout | undefined;
const activeLeaseSets = new ActiveLeaseSets({
  nowMs,
  environment: toolEnvironment,
  failed({ detail, isNew }) {
    if (isNew) post({ kind: 'trouble', detail: `leases of addresses could not be renewed: ${detail}` });
    // Not at once: the table may be about to be loaded.
    clearTimeout(retry);
    retry = setTimeout(() => engine.kernelStateLost(nowMs()), leaseCommandMs);
  },
});
const engine = new Engine({
  run: randomBytes(8).readBigUInt64BE(),
  nowMs: nowMs(),
  output: {
    send: (bytes, from, to) => sockets.send(bytes, from, to),
    post,
    writeLeases: (addresses) => activeLeaseSets.write(addresses),
  },
});

const turns = setInterval(() => {
  sockets.tick(nowMs());
  engine.tick(nowMs());
}, probeTickMs);

// A heap of its own, which nobody else tidies; a few ms each time, far from what anybody takes for a pause.
const collecting = setInterval(collectGarbage, agentCollectMs);

port.on('message', (message: ToProber) => {
  switch (message.kind) {
    case 'configure':
      sockets.keep(localsOf(message.config), nowMs());
      return engine.configure(message.config, nowMs());
    case 'lease_ack':
      return engine.leaseAck(message, nowMs());
    case 'confirmed':
      return engine.confirmed(message.watched);
    case 'loading':
      return activeLeaseSets.pause();
    case 'loaded':
      // Active leases are written at once, whatever was in the table before.
      engine.kernelStateLost(nowMs());
      return activeLeaseSets.resume();
    case 'withhold':
      return engine.withhold(message.addresses);
    case 'report':
      return post({ kind: 'report', id: message.id, targets: engine.report(nowMs()) });
    case 'stop':
      clearInterval(turns);
      clearInterval(collecting);
      clearTimeout(retry);
      sockets.keep([], nowMs());
      activeLeaseSets.stop();
      port.close();
  }
});

function localsOf(config: ProberConfig): Local[] {
  return [
    ...config.answering.map(({ address }) => ({ address, port: probePort })),
    ...config.targets.map(({ source, purpose }) => ({
      address: source,
      port: purpose === 'direct' ? probePort : null,
    })),
  ];
}
