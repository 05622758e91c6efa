// The machine as a sink: look at all of it, look at a part, carry out steps. What to do is decided in plan/.
import { ProductError } from '@powernode/core/errors';
import { isInterfaceName } from '../plan/names.ts';
import type { ByFamily } from '../plan/ruleset-intent.ts';
import type { SeenRuleset } from '../plan/ruleset-seen.ts';
import type { Seen, SeenDevice, SeenInterface } from '../plan/seen.ts';
import type { Step } from '../plan/step.ts';
import type { Clock } from '../ports/clock.ts';
import { mustRun, type Run } from '../ports/run.ts';
import type { Settings } from '../ports/settings.ts';
import type { StateFolder } from '../state/folder.ts';
import type { KeyStore } from '../state/keys.ts';
import { lookCommand, parseLook, type SeenLinks } from './addresses/look.ts';
import { ipCommand, isIpStep } from './addresses/write.ts';
import type { RuleCount } from './nftables/rule-counters.ts';
import { NftTable } from './nftables/table.ts';
import { Forwarding } from './routing/forwarding.ts';
import { type Problem, roomOf, type Sink } from './sink.ts';
import { parseDump, parseDumpOfAll, parseDumpOfSome } from './wireguard/dump.ts';
import { InterfaceMaker } from './wireguard/interfaces.ts';
import { markedInterfaces } from './wireguard/userspace.ts';
import { interfaceOf, isWireguardStep, type WireguardStep, wgCommands } from './wireguard/write.ts';

export interface MachineParts {
  readonly run: Run;
  readonly clock: Clock;
  readonly settings: Settings;
  readonly folder: StateFolder;
  /** null: only looking and taking away are asked for. */
  readonly keys: KeyStore | null;
  /** A userspace WireGuard that this process started has ended. */
  readonly interfaceEnded: (name: string, why: string) => void;
  /** Around each run of a tool that writes the table of rules. */
  readonly rulesLoading: () => void;
  readonly rulesLoaded: () => void;
}

/** For those who only look, or take away what is there. */
export const nobodyToTell = {
  interfaceEnded: () => undefined,
  rulesLoading: () => undefined,
  rulesLoaded: () => undefined,
} satisfies Partial<MachineParts>;

export class Machine implements Sink {
  readonly #parts: MachineParts;
  readonly #maker: InterfaceMaker;
  readonly #forwarding: Forwarding;
  readonly #table: NftTable;

  constructor(parts: MachineParts) {
    this.#parts = parts;
    this.#maker = new InterfaceMaker({ ...parts, ended: parts.interfaceEnded });
    this.#forwarding = new Forwarding(parts.settings, parts.folder);
    this.#table = new NftTable(parts);
  }

  /** What makes this machine's interfaces; null before the first one was made. */
  get flavour(): 'kernel' | 'userspace' | null {
    return this.#maker.flavour;
  }

  get forwardingHeld(): ByFamily {
    return this.#forwarding.held;
  }

  /** What the firewall counted for each rule since this process came, as of the last look that saw it. */
  get ruleCounts(): ReadonlyMap<string, RuleCount> {
    return this.#table.ruleCounts;
  }

  /** Looks at everything that a document can be about. */
  async look(): Promise<Seen> {
    const { run } = this.#parts;
    const [links, dump, ruleset] = await Promise.all([
      mustRun(run, lookCommand),
      run.attempt({ program: 'wg', args: ['show', 'all', 'dump'] }),
      this.#table.look(),
    ]);
    const found = parseLook(links, lazily(markedInterfaces));
    const devices =
      dump.exitCode === 0
        ? parseDumpOfAll(dump.stdout, isInterfaceName)
        : await this.#lookOneByOne([...found.interfaces.keys()]);
    return {
      interfaces: withDevices(found, devices),
      routes: found.routes,
      ruleset,
      forwarding: this.#forwarding.isOn(),
    };
  }

  async lookAtLinks(): Promise<SeenLinks> {
    return parseLook(await mustRun(this.#parts.run, lookCommand), lazily(markedInterfaces));
  }

  lookAtRuleset(): Promise<SeenRuleset | null> {
    return this.#table.look();
  }

  /** Looks at the WireGuard side of one interface only. null: it does not answer. */
  async lookAtDevice(name: string): Promise<SeenDevice | null> {
    const outcome = await this.#parts.run.attempt({ program: 'wg', args: ['show', name, 'dump'] });
    return outcome.exitCode === 0 ? parseDump(outcome.stdout) : null;
  }

  /** Looks at some peers of an interface; the others are taken to be as they were `before`. */
  async lookAtPeers(
    name: string,
    at: { readonly before: SeenDevice; readonly changed: ReadonlySet<string> },
  ) {
    const outcome = await this.#parts.run.attempt({ program: 'wg', args: ['show', name, 'dump'] });
    return outcome.exitCode === 0 ? parseDumpOfSome(outcome.stdout, at.before, at.changed) : null;
  }

  /** One interface that hangs makes the look at all of them fail. */
  async #lookOneByOne(names: readonly string[]): Promise<Map<string, SeenDevice>> {
    const devices = new Map<string, SeenDevice>();
    for (const name of names) {
      const device = await this.lookAtDevice(name).catch(() => null);
      if (device !== null) devices.set(name, device);
    }
    return devices;
  }

  /** Carries out what it can, in order, and returns what could not be. */
  async execute(steps: readonly Step[]): Promise<Problem[]> {
    const problems: Problem[] = [];
    for (let first = 0; first < steps.length; ) {
      const batch = batchFrom(steps, first);
      // Without the rules there is nothing that lets go of a leased address when its lease is over.
      const isUnguarded = problems.some((problem) => problem.room === 'nftables');
      try {
        await this.#executeBatch(isUnguarded ? batch.filter((step) => !isLeased(step)) : batch);
      } catch (error) {
        if (!(error instanceof ProductError)) throw error;
        problems.push({ room: roomOf(batch[0]), detail: error.detail });
      }
      first += batch.length;
    }
    return problems;
  }

  async #executeBatch(batch: readonly Step[]): Promise<void> {
    const { run, keys } = this.#parts;
    const [step] = batch;
    if (step === undefined) return;
    if (isWireguardStep(step)) {
      const name = interfaceOf(step);
      if (keys === null) throw new ProductError('internal', 'a peer was to be written without keys');
      const writes = batch.filter(isWireguardStep);
      for (const command of wgCommands(name, writes, (publicKey) => keys.privateKeyFile(publicKey))) {
        await mustRun(run, command);
      }
      return;
    }
    if (isIpStep(step)) {
      await mustRun(run, ipCommand(batch.filter(isIpStep)));
      return;
    }
    await this.#executeSingle(step);
  }

  async #executeSingle(step: Exclude<Step, WireguardStep>): Promise<void> {
    switch (step.kind) {
      case 'create_interface':
        return this.#maker.create(step.name);
      case 'prepare_interface':
        return this.#maker.prepare(step.name);
      case 'remove_interface':
        return this.#maker.remove(step.name);
      case 'set_ruleset':
        return this.#table.load(step.ruleset, step.how);
      case 'remove_ruleset':
        return this.#table.remove();
      case 'start_forwarding':
        return this.#forwarding.start(step.family);
      case 'stop_forwarding':
        return this.#forwarding.stop(step.family);
      default:
        throw new Error(`step ${step.kind} belongs to a batch`);
    }
  }
}

function isLeased(step: Step): boolean {
  return step.kind === 'add_address' && step.isLeased;
}

/** The steps from `first` on that one call can carry out together. */
function batchFrom(steps: readonly Step[], first: number): Step[] {
  const head = steps[first];
  if (head === undefined) return [];
  const together = (step: Step): boolean => {
    if (isWireguardStep(head)) return isWireguardStep(step) && interfaceOf(step) === interfaceOf(head);
    return isIpStep(head) && isIpStep(step);
  };
  let end = first + 1;
  for (let step = steps[end]; step !== undefined && together(step); step = steps[end]) end++;
  return steps.slice(first, end);
}

function withDevices(found: SeenLinks, devices: ReadonlyMap<string, SeenDevice>): Map<string, SeenInterface> {
  const interfaces = new Map<string, SeenInterface>();
  for (const [name, link] of found.interfaces)
    interfaces.set(name, { ...link, device: devices.get(name) ?? null });
  return interfaces;
}

/** Asks once, and only if somebody wants to know. */
function lazily(make: () => Set<string>): (name: string) => boolean {
  let made: Set<string> | undefined;
  return (name) => {
    made ??= make();
    return made.has(name);
  };
}
