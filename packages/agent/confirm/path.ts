// Finds out whether a path of this machine leads outside as it should: by the kernel's own choice of a route, and by
// whether anything answers there. A refused connection is an answer.
import { connect } from 'node:net';
import { parseJson } from '@powernode/core/json';
import { confirmConnectMs } from '@powernode/core/limits/agent';
import { z } from 'zod';
import type { RemoteEndpoint } from '../link/stream.ts';
import type { Run } from '../ports/run.ts';
import type { PathFinding } from './trial.ts';

const route = z.object({
  type: z.string().optional(),
  dev: z.string().optional(),
  gateway: z.string().optional(),
  prefsrc: z.string().optional(),
});

/** What belongs to overlays. */
export interface Overlays {
  readonly isOurs: (interfaceName: string) => boolean;
  /** Whether an address is one that a document puts on this machine. */
  readonly hasAddress: (address: string) => boolean;
}

/** What the guard asks of the machine. */
export interface Outside {
  /** Whether packets to the address go into an overlay, or stay on this machine because of one. */
  isCaptured(address: string, overlays: Overlays): Promise<boolean>;
  pathTo(remote: RemoteEndpoint, overlays: Overlays): Promise<PathFinding>;
}

export function systemOutside(run: Run): Outside {
  return {
    isCaptured: (address, overlays) => isCaptured(run, address, overlays),
    pathTo: async (remote, overlays) => {
      if (await isCaptured(run, remote.address, overlays)) return 'captured';
      return (await answers(remote)) ? 'answers' : 'silent';
    },
  };
}

async function isCaptured(run: Run, address: string, overlays: Overlays): Promise<boolean> {
  const outcome = await run
    .attempt({ program: 'ip', args: ['-json', 'route', 'get', address] })
    .catch(() => null);
  if (outcome === null || outcome.exitCode !== 0) return false;
  const parsed = z.array(route).safeParse(parseJson(outcome.stdout));
  return (
    parsed.success &&
    parsed.data.some(({ type, dev, gateway, prefsrc }) => {
      if (type === 'local') return overlays.hasAddress(address);
      if (dev !== undefined && overlays.isOurs(dev)) return true;
      return [gateway, prefsrc].some((one) => one !== undefined && overlays.hasAddress(one));
    })
  );
}

/** Whether anybody takes or refuses a connection there. */
function answers({ address, port }: RemoteEndpoint): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host: address, port });
    const end = (does: boolean) => {
      socket.destroy();
      resolve(does);
    };
    socket.setTimeout(confirmConnectMs, () => end(false));
    socket.once('connect', () => end(true));
    socket.once('error', (error: NodeJS.ErrnoException) =>
      end(error.code === 'ECONNREFUSED' || error.code === 'ECONNRESET'),
    );
  });
}
