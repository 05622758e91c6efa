// The whole simulation: candidates, hubs, two processes of the platform and their database; the trouble that befalls
// them; and the reference: at no moment may two nodes answer for the address, and when all is well again one does.
import { Chance } from '../../stage/random.ts';
import { Database } from './database.ts';
import { Candidate, Hub } from './instances.ts';
import { PlatformProcess } from './process.ts';
import { type Member, World } from './world.ts';

/** What a run came to. */
export interface Outcome {
  /** Moments at which two nodes could answer. */
  readonly violations: readonly string[];
  /** The address is answered for by its holder, and nothing is under way. */
  readonly isWell: boolean;
  readonly moves: number;
  /** Milliseconds until it was, after everything was well again. */
  readonly repairMs: number;
}

const candidateCount = 3;
const troubles = 60;

interface Setting {
  readonly hubs: number;
  /** The holder asks the service at the address, which fails now and then. */
  readonly checked?: boolean;
}

/** One run: everything follows from the seed. */
export async function simulate(seed: number, { hubs, checked = false }: Setting): Promise<Outcome> {
  const stage = new Stage(seed, { hubs, checked });
  await stage.settle();
  await stage.trouble(troubles);
  return stage.heal();
}

/** What became of an address whose service fails on all candidates but so many, while all else is well. */
export interface ChecksOutcome extends Pick<Outcome, 'violations' | 'moves'> {
  /** Whether the holder's service answers. */
  readonly isServed: boolean;
  readonly state: string;
}

export async function simulateChecks(
  seed: number,
  { hubs, serving }: { readonly hubs: number; readonly serving: number },
): Promise<ChecksOutcome> {
  const stage = new Stage(seed, { hubs, checked: true });
  await stage.settle();
  return stage.failServices(serving);
}

/** What became of an address whose service fails on one holder after the other, until one candidate is left. */
export async function simulateChecksInTurn(
  seed: number,
  { hubs }: { readonly hubs: number },
): Promise<ChecksOutcome> {
  const stage = new Stage(seed, { hubs, checked: true });
  await stage.settle();
  return stage.failServicesInTurn();
}

class Stage {
  readonly #world: World;
  readonly #db: Database;
  readonly #hubs: readonly Hub[];
  readonly #candidates: readonly Candidate[];
  readonly #processes: readonly PlatformProcess[];

  /** Of services alone: runs without checks are what they were before there were any. */
  readonly #serviceChance: Chance;
  readonly #checked: boolean;

  constructor(seed: number, { hubs, checked }: Required<Setting>) {
    const world = new World(seed);
    this.#world = world;
    this.#serviceChance = new Chance(seed);
    this.#checked = checked;
    this.#db = new Database(world, { candidates: candidateCount, hubs, checked });
    const instanceIds = [...this.#db.peers.keys()];
    this.#processes = ['platform1', 'platform2'].map(
      (name) =>
        new PlatformProcess({ world, name, db: this.#db, others: () => this.#processes, instanceIds }),
    );
    const listeners = () => this.#processes;
    this.#hubs = range(hubs).map((slot) => new Hub({ world, slot, slots: hubs, listeners }));
    this.#candidates = range(candidateCount).map(
      (number) => new Candidate({ world, number, listeners, hubs: () => this.#hubs }),
    );
    for (const member of this.#members()) member.begin();
  }

  settle(): Promise<void> {
    return this.#world.advance(3_000);
  }

  async trouble(steps: number): Promise<void> {
    const world = this.#world;
    for (let i = 0; i < steps; i++) {
      this.#befall();
      if (this.#checked) this.#befallServices();
      await world.advance(world.chance(0.3) ? 1_500 * world.random() : 150 * world.random());
    }
  }

  /** Everything is well again. */
  async heal(): Promise<Outcome> {
    const world = this.#world;
    world.healAll();
    for (const candidate of this.#candidates) candidate.serves = true;
    for (const member of this.#members()) {
      member.pausedUntil = 0;
      if (!member.alive) member.begin();
    }
    const from = world.now;
    while (world.now - from < 30_000) {
      await world.advance(100);
      if (this.#isWell()) return this.#outcome(true, world.now - from);
    }
    return this.#outcome(false, world.now - from);
  }

  async failServices(serving: number): Promise<ChecksOutcome> {
    const from = this.#db.moves;
    // Without the holder: its service fails in any case.
    const holder = this.#holder();
    for (const candidate of this.#candidates) candidate.serves = false;
    const others = this.#candidates.filter((candidate) => candidate !== holder);
    for (const candidate of others.slice(others.length - serving)) candidate.serves = true;
    await this.#world.advance(60_000);
    return this.#checksOutcome(from);
  }

  async failServicesInTurn(): Promise<ChecksOutcome> {
    const from = this.#db.moves;
    for (let left = this.#candidates.length - 1; left > 0; left--) {
      const holder = this.#holder();
      if (holder !== undefined) holder.serves = false;
      await this.#world.advance(30_000);
    }
    return this.#checksOutcome(from);
  }

  #checksOutcome(from: number): ChecksOutcome {
    const { violations } = this.#world;
    const isServed = this.#holder()?.serves === true;
    return { violations, isServed, state: this.#db.row.state, moves: this.#db.moves - from };
  }

  #isWell(): boolean {
    const { current_holder_peer_id: holder, state } = this.#db.row;
    const [answering, ...more] = this.#world.answering();
    return holder !== null && state === 'active' && answering === this.#holder()?.name && more.length === 0;
  }

  #outcome(isWell: boolean, repairMs: number): Outcome {
    return { violations: this.#world.violations, isWell, moves: this.#db.moves, repairMs };
  }

  #members(): (Candidate | Hub | PlatformProcess)[] {
    return [...this.#candidates, ...this.#hubs, ...this.#processes];
  }

  #befall(): void {
    const world = this.#world;
    const members = this.#members();
    const dice = world.random();
    if (dice < 0.2) this.#isolate(world.one(members), 0.5);
    else if (dice < 0.3) this.#isolate(world.one(members), 1);
    else if (dice < 0.38) this.#isolate(this.#holder() ?? world.one(members), 0.6);
    else if (dice < 0.5) this.#heal();
    else if (dice < 0.58) this.#restart(world.one(members));
    else if (dice < 0.66) this.#pause(world.one(members));
    else if (dice < 0.72) world.cut(world.one(this.#processes).name, this.#db.name);
    else if (dice < 0.78) for (const { name } of this.#processes) world.heal(name, this.#db.name);
    else if (dice < 0.84) world.loss = world.one([0, 0.02, 0.2, 0.5]);
    else if (dice < 0.91) this.#process()?.failOver();
    else if (dice < 0.95) this.#changeHubs();
    else world.healAll();
  }

  #befallServices(): void {
    const candidate = this.#serviceChance.oneOf(this.#candidates);
    if (candidate !== null && this.#serviceChance.next() < 0.3) candidate.serves = !candidate.serves;
  }

  #process(): PlatformProcess | undefined {
    return this.#world.one(this.#processes.filter(({ alive }) => alive));
  }

  #changeHubs(): void {
    const all = this.#hubs.length;
    const slots = new Set(range(all).filter(() => this.#world.chance(0.7)));
    this.#process()?.setHubs(slots, all);
  }

  #holder(): Candidate | undefined {
    return this.#candidates.find(({ instanceId }) => instanceId === this.#db.row.current_holder_peer_id);
  }

  #isolate(member: Member, share: number): void {
    for (const other of this.#members()) {
      if (other !== member && this.#world.chance(share)) this.#world.cut(member.name, other.name);
    }
  }

  #heal(): void {
    const member = this.#world.one(this.#members());
    for (const other of this.#members()) this.#world.heal(member.name, other.name);
  }

  #restart(member: Candidate | Hub | PlatformProcess): void {
    if (!member.alive) return;
    member.end();
    const world = this.#world;
    world.at(world.now + (world.chance(0.5) ? 100 : 3_000) * world.random(), () => {
      if (!member.alive) member.begin();
    });
  }

  /** A machine, or only a program, that does not run for a while, and then goes on as if nothing had been. */
  #pause(member: Member): void {
    member.pausedUntil = this.#world.now + 1_500 * this.#world.random();
  }
}

function range(count: number): number[] {
  return Array.from({ length: count }, (_, i) => i + 1);
}
