// Test support: the whole simulation: candidates, hubs, two processes of the platform and their database; the trouble
// that befalls them; and what has to be true when it is over.
import { Database } from './database.fixture.ts';
import { Candidate, Hub } from './machines.fixture.ts';
import { PlatformProcess } from './process.fixture.ts';
import { type Member, World } from './world.fixture.ts';

export interface StageParts {
  readonly hubs: number;
  readonly forgetful?: boolean;
}

export class Stage {
  readonly world: World;
  readonly db: Database;
  readonly hubs: readonly Hub[];
  readonly candidates: readonly Candidate[];
  readonly processes: readonly PlatformProcess[];
  /** The longest time without anybody answering, after everything was well again. */
  repairMs = 0;

  constructor(seed: number, { hubs, forgetful = false }: StageParts) {
    const world = new World(seed);
    this.world = world;
    const names = ['node1', 'node2', 'node3'];
    const hubNames = Array.from({ length: hubs }, (_, i) => `hub${i + 1}`);
    this.db = new Database(world, { candidates: names, witnesses: hubNames });
    this.processes = ['platform1', 'platform2'].map(
      (name) =>
        new PlatformProcess({
          world,
          name,
          db: this.db,
          others: () => this.processes,
          hubs: hubNames,
          candidates: names,
          forgetful,
        }),
    );
    const processes = () => this.processes;
    this.hubs = hubNames.map((name) => new Hub({ world, name, processes, candidates: names }));
    this.candidates = names.map((name) => new Candidate({ world, name, processes, hubs: () => this.hubs }));
    for (const member of [...this.processes, ...this.hubs, ...this.candidates]) member.begin();
    world.advance(3_000);
  }

  trouble(steps: number): void {
    const { world } = this;
    for (let i = 0; i < steps; i++) {
      this.#befall();
      world.advance(world.chance(0.3) ? 1_500 * world.random() : 150 * world.random());
    }
  }

  /** Everything is well again; says when the address is answered for by its holder, and nothing is under way. */
  heal(): boolean {
    const { world, db } = this;
    world.healAll();
    for (const member of this.#members()) {
      member.pausedUntil = 0;
      if (!member.alive) member.begin();
    }
    const from = world.now;
    for (let waited = 0; waited < 30_000; waited += 100) {
      world.advance(100);
      const { holder, phase } = db.row;
      const [answering, ...more] = world.answering();
      if (holder === null || phase !== 'active' || answering !== holder || more.length > 0) continue;
      this.repairMs = Math.max(this.repairMs, world.now - from);
      return true;
    }
    return false;
  }

  #members(): (Candidate | Hub | PlatformProcess)[] {
    return [...this.candidates, ...this.hubs, ...this.processes];
  }

  #befall(): void {
    const { world, db } = this;
    const members = this.#members();
    const dice = world.random();
    if (dice < 0.2) this.#isolate(world.one(members), 0.5);
    else if (dice < 0.3) this.#isolate(world.one(members), 1);
    else if (dice < 0.38) this.#isolate(this.#holder() ?? world.one(members), 0.6);
    else if (dice < 0.5) this.#heal();
    else if (dice < 0.58) this.#restart(world.one(members));
    else if (dice < 0.66) this.#pause(world.one(members));
    else if (dice < 0.72) world.cut(world.one(this.processes).name, 'db');
    else if (dice < 0.78) for (const { name } of this.processes) world.heal(name, 'db');
    else if (dice < 0.84) world.loss = world.one([0, 0.02, 0.2, 0.5]);
    else if (dice < 0.91) world.one(this.processes.filter(({ alive }) => alive))?.failOver();
    else if (dice < 0.95)
      db.commit(
        db.row,
        this.hubs.filter(() => world.chance(0.7)).map(({ name }) => name),
      );
    else world.healAll();
  }

  #holder(): Candidate | undefined {
    return this.candidates.find(({ name }) => name === this.db.row.holder);
  }

  #isolate(member: Member, share: number): void {
    for (const other of this.#members()) {
      if (other !== member && this.world.chance(share)) this.world.cut(member.name, other.name);
    }
  }

  #heal(): void {
    const member = this.world.one(this.#members());
    for (const other of this.#members()) this.world.heal(member.name, other.name);
  }

  #restart(member: Candidate | Hub | PlatformProcess): void {
    if (!member.alive) return;
    member.end();
    const { world } = this;
    world.at(world.now + (world.chance(0.5) ? 100 : 3_000) * world.random(), () => {
      if (!member.alive) member.begin();
    });
  }

  /** A machine, or only a program, that does not run for a while, and then goes on as if nothing had been. */
  #pause(member: Member): void {
    member.pausedUntil = this.world.now + 1_500 * this.world.random();
  }
}
