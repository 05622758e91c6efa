// A UDP port that another program has: the tunnels of the interface are made all the same, on a port that is free, so
// that this side can call; and it is said which program it is, because nobody can call this side until it is gone.

import { type Command, CommandFailure, type Run } from '../../ports/run.ts';
import type { Problem } from '../problem.ts';

/** Of iproute2, as ip is; without it the sentence names nobody. */
const socketLister = 'ss';

/** Whether a tool was refused because somebody else has the port. */
export function isPortTaken(error: unknown): error is CommandFailure {
  return error instanceof CommandFailure && /address already in use/i.test(error.said);
}

export async function takenPortProblem(
  run: Run,
  at: { readonly interface: string; readonly port: number; readonly cause: unknown },
): Promise<Problem> {
  const { interface: name, port, cause } = at;
  const owner = (await ownerOf(run, port)) ?? 'another program';
  return {
    subsystem: 'wireguard',
    code: 'port_in_use',
    detail: `UDP port ${port} of ${name} is in use by ${owner}, so no peer can initiate a tunnel to this instance: stop that program, or give the peer another listen_port.`,
    interface: name,
    cause,
  };
}

/** Any free port: what the kernel takes for 0. */
export function freePortCommand(name: string): Command {
  return { program: 'wg', args: ['set', name, 'listen-port', '0'] };
}

/** Who has the port, by name and pid. null: it is not a program (WireGuard in the kernel), or ss is missing. */
async function ownerOf(run: Run, port: number): Promise<string | null> {
  const command = { program: socketLister, args: ['-Hulnp', `sport = :${port}`] };
  const outcome = await run.attempt(command).catch(() => null);
  const [, program, pid] = /users:\(\("([^"]{1,64})",pid=(\d+)/.exec(outcome?.stdout ?? '') ?? [];
  return program === undefined ? null : `${program} (pid ${pid})`;
}
