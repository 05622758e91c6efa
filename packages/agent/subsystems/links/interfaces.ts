// Making and taking away WireGuard interfaces, in the kernel where it has them and in userspace where not.
import { ProductError } from '@powernode/core/errors';
import type { Clock } from '../../ports/clock.ts';
import { type Command, complaint, mustRun, type Run } from '../../ports/run.ts';
import type { Settings } from '../../ports/settings.ts';
import { interfaceGroup, interfaceMarks } from './names.ts';
import { startUserspace } from './userspace.ts';

export interface InterfaceMachine {
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly ended: (name: string, why: string) => void;
}

export class InterfaceMaker {
  readonly #machine: InterfaceMachine;
  /** Asked of the kernel once: it does not learn WireGuard while it runs, and asking costs a process. */
  #kernelHasWireguard: boolean | null = null;

  constructor(machine: InterfaceMachine) {
    this.#machine = machine;
  }

  /** What makes the interfaces of this machine; null before the first one was made. */
  get flavour(): 'kernel' | 'userspace' | null {
    if (this.#kernelHasWireguard === null) return null;
    return this.#kernelHasWireguard ? 'kernel' : 'userspace';
  }

  async create(name: string): Promise<void> {
    if (this.#kernelHasWireguard !== false && (await this.#createInKernel(name))) return;
    await startUserspace(this.#machine, name);
  }

  /** false: the kernel has no WireGuard. */
  async #createInKernel(name: string): Promise<boolean> {
    // In one process: if the agent is killed here, the interface has its mark all the same.
    const add = `link add dev ${name} type wireguard\nlink set dev ${name} alias ${interfaceMarks.made}\n`;
    const command: Command = { program: 'ip', args: ['-batch', '-'], input: add };
    const outcome = await this.#machine.run.attempt(command);
    if (outcome.exitCode === 0) {
      this.#kernelHasWireguard = true;
      return true;
    }
    if (/unknown device type|not supported/i.test(outcome.stderr)) {
      this.#kernelHasWireguard = false;
      return false;
    }
    if (/not permitted/i.test(outcome.stderr)) {
      throw new ProductError('machine_unsupported', 'Making network interfaces needs root (CAP_NET_ADMIN).');
    }
    throw complaint(command, outcome);
  }

  /**
   * No autoconfiguration on overlay interfaces: a peer must not be able to give this machine routes or addresses
   * by router advertisements or redirects. The mark comes last; it says that the rest is done.
   */
  async prepare(name: string): Promise<void> {
    for (const setting of ['accept_ra', 'accept_redirects', 'autoconf']) {
      this.#set(`net/ipv6/conf/${name}/${setting}`, '0');
    }
    // An answer may come by another hub than the question went: whoever filters by the way back must not lose it.
    // 0 (off) and not 2 (loose): that drops everything which comes in where an interface has no IPv4 address.
    this.#set(`net/ipv4/conf/${name}/rp_filter`, '0');
    // A hub that answers for an anycast address also forwards what others answer from it (IPv6 has no such check).
    this.#set(`net/ipv4/conf/${name}/accept_local`, '1');
    const input = `link set dev ${name} group ${interfaceGroup} addrgenmode none alias ${interfaceMarks.prepared}\n`;
    await mustRun(this.#machine.run, { program: 'ip', args: ['-batch', '-'], input });
  }

  /** Where the kernel has such a setting. */
  #set(path: string, value: string): void {
    if (this.#machine.settings.read(path) !== null) this.#machine.settings.write(path, value);
  }

  /** A userspace WireGuard ends by itself when its interface is taken away. */
  async remove(name: string): Promise<void> {
    const command = { program: 'ip', args: ['link', 'delete', 'dev', name] };
    const outcome = await this.#machine.run.attempt(command);
    if (outcome.exitCode !== 0 && !/cannot find device/i.test(outcome.stderr))
      throw complaint(command, outcome);
  }
}
