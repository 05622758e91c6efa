// A world in which instances, platform processes and a database talk over lines that are slow, lose, stall and break; with
// a clock that only moves when something is due, and one source of chance. Records a violation when two nodes may answer
// for the virtual IP at the same moment.
import { Chance } from '../../stage/random.ts';

interface Due {
  readonly at: number;
  readonly order: number;
  readonly run: () => void;
}

/** Something in the network with clocks of its own, up to 1 % off. */
export abstract class Member {
  readonly name: string;
  readonly world: World;
  readonly rate: number;
  /** Stopped by the machine that it runs on: whatever is due waits. */
  pausedUntil = 0;
  alive = true;
  readonly #setMs: number;

  constructor(world: World, name: string) {
    this.world = world;
    this.name = name;
    this.rate = 0.99 + 0.02 * world.random();
    this.#setMs = 400 * (world.random() - 0.5);
  }

  /** Milliseconds of its steady clock. */
  get steadyMs(): number {
    return 1_000_000 + this.world.now * this.rate;
  }

  /** Milliseconds since 1970 by its wall clock, which is a little off. */
  get wallMs(): number {
    return 1_790_000_000_000 + this.world.now + this.#setMs;
  }

  /** Runs after so long on its own clock, unless it has ended by then. Returns the function that cancels it. */
  after(ms: number, run: () => void): () => void {
    const life = this.life;
    let isCancelled = false;
    this.world.at(this.world.now + Math.max(ms, 0) / this.rate, () =>
      this.#whenRunning(life, () => {
        if (!isCancelled) run();
      }),
    );
    return () => {
      isCancelled = true;
    };
  }

  life = 0;
  /** What waits until it runs again, in the order in which it came: lines keep theirs. */
  readonly #inbox: { readonly life: number; readonly run: () => void }[] = [];

  /** Ends; what it had in memory is gone. */
  end(): void {
    this.alive = false;
    this.life++;
  }

  /** Does it now, or when it runs again. */
  handle(run: () => void): void {
    this.#whenRunning(this.life, run);
  }

  #whenRunning(life: number, run: () => void): void {
    if (life !== this.life) return;
    if (this.#inbox.length === 0 && this.world.now >= this.pausedUntil) return run();
    this.#inbox.push({ life, run });
    if (this.#inbox.length === 1) this.#wake();
  }

  #wake(): void {
    this.world.at(this.pausedUntil, () => {
      if (this.world.now < this.pausedUntil) return this.#wake();
      for (let next = this.#inbox[0]; next !== undefined; next = this.#inbox[0]) {
        if (next.life === this.life) next.run();
        this.#inbox.shift();
      }
    });
  }
}

export class World {
  now = 0;
  readonly #chance: Chance;
  readonly violations: string[] = [];
  /** Share of datagrams and of messages between processes that are lost. */
  loss = 0;
  readonly #cut = new Set<string>();
  /** Until when each node's kernel answers for the address. */
  readonly answers = new Map<string, number>();
  #heap: Due[] = [];
  #order = 0;
  #promised = false;

  constructor(seed: number) {
    this.#chance = new Chance(seed);
  }

  random(): number {
    return this.#chance.next();
  }

  one<T>(list: readonly T[]): T {
    return list[Math.floor(this.random() * list.length)] as T;
  }

  chance(share: number): boolean {
    return this.random() < share;
  }

  /** Mostly quick, now and then slow. */
  delay(): number {
    return this.chance(0.03) ? 50 + this.random() * 600 : 0.5 + this.random() * 15;
  }

  at(at: number, run: () => void): void {
    push(this.#heap, { at: Math.max(at, this.now), order: this.#order++, run });
  }

  /** Does what is due in the next `ms`, with what follows from it. */
  async advance(ms: number): Promise<void> {
    const end = this.now + ms;
    for (let next = this.#heap[0]; next !== undefined && next.at <= end; next = this.#heap[0]) {
      pop(this.#heap);
      this.now = next.at;
      next.run();
      if (this.#promised) await this.#settlePromises();
    }
    this.now = end;
  }

  /** To be called by what may have settled a promise: its continuations run before anything else is due. */
  promised(): void {
    this.#promised = true;
  }

  /** A few deep: what hangs on more runs after the next event, in every run of a seed alike. */
  async #settlePromises(): Promise<void> {
    this.#promised = false;
    for (let i = 0; i < 12; i++) await Promise.resolve();
  }

  cut(a: string, b: string): void {
    this.#cut.add(a < b ? `${a}|${b}` : `${b}|${a}`);
  }
  heal(a: string, b: string): void {
    this.#cut.delete(a < b ? `${a}|${b}` : `${b}|${a}`);
  }
  healAll(): void {
    this.#cut.clear();
    this.loss = 0;
  }
  isCut(a: string, b: string): boolean {
    return this.#cut.has(a < b ? `${a}|${b}` : `${b}|${a}`);
  }

  /** Once, late, or never. */
  datagram(from: Member, to: Member, run: () => void): void {
    if (this.chance(this.loss) || this.isCut(from.name, to.name)) return;
    this.at(this.now + this.delay(), () => {
      if (to.alive && !this.isCut(from.name, to.name)) to.handle(run);
    });
  }

  /** A node may answer for the address until then; 0: not any more. */
  mayAnswer(node: string, until: number): void {
    this.answers.set(node, until);
    if (until <= this.now) return;
    for (const [other, end] of this.answers) {
      if (other === node || end <= this.now) continue;
      this.violations.push(`at ${this.now.toFixed(1)} ${node} answers, and ${other} until ${end.toFixed(1)}`);
    }
  }

  answering(): string[] {
    return [...this.answers].filter(([, end]) => end > this.now).map(([node]) => node);
  }
}

/** What goes over a line, in order. Either end may think that it is open while the other has given it up. */
export class Line {
  readonly world: World;
  readonly ends: readonly [Member, Member];
  readonly open: [boolean, boolean] = [true, true];
  readonly heard: [number, number];
  onFrame: [(frame: object) => void, (frame: object) => void];
  onClose: [() => void, () => void];
  readonly #queues: readonly [Waiting[], Waiting[]] = [[], []];
  readonly #pumping: [boolean, boolean] = [false, false];

  constructor(world: World, first: Member, second: Member) {
    this.world = world;
    this.ends = [first, second];
    this.heard = [world.now, world.now];
    const nothing = () => undefined;
    this.onFrame = [nothing, nothing];
    this.onClose = [nothing, nothing];
  }

  send(from: 0 | 1, frame: object): void {
    if (!this.open[from]) return;
    this.#queues[from].push({ at: this.world.now + this.world.delay(), frame });
    this.#pump(from);
  }

  close(side: 0 | 1): void {
    if (!this.open[side]) return;
    this.open[side] = false;
    this.onClose[side]();
    // The other end hears of it soon, or only by silence.
    if (!this.world.chance(0.7)) return;
    const other = side === 0 ? 1 : 0;
    this.world.at(this.world.now + this.world.delay(), () => {
      if (!this.#isCut()) this.ends[other].handle(() => this.close(other));
    });
  }

  #isCut(): boolean {
    return this.world.isCut(this.ends[0].name, this.ends[1].name);
  }

  /** One after the other: what is stalled keeps all behind it waiting. */
  #pump(from: 0 | 1): void {
    const head = this.#queues[from][0];
    if (head === undefined || this.#pumping[from]) return;
    this.#pumping[from] = true;
    const at = this.#isCut() ? this.world.now + 40 : head.at;
    this.world.at(at, () => {
      this.#pumping[from] = false;
      if (!this.#isCut()) {
        this.#queues[from].shift();
        this.#arrive(from === 0 ? 1 : 0, head.frame);
      }
      this.#pump(from);
    });
  }

  #arrive(to: 0 | 1, frame: object): void {
    if (!this.open[to]) return;
    this.ends[to].handle(() => {
      if (!this.open[to]) return;
      this.heard[to] = this.world.now;
      this.onFrame[to](frame);
    });
  }
}

interface Waiting {
  readonly at: number;
  readonly frame: object;
}

function before(a: Due, b: Due): boolean {
  return a.at < b.at || (a.at === b.at && a.order < b.order);
}

function push(heap: Due[], due: Due): void {
  let i = heap.length;
  heap.push(due);
  while (i > 0) {
    const up = (i - 1) >> 1;
    const parent = heap[up] as Due;
    if (!before(due, parent)) break;
    heap[i] = parent;
    i = up;
  }
  heap[i] = due;
}

function pop(heap: Due[]): void {
  const last = heap.pop() as Due;
  if (heap.length === 0) return;
  let i = 0;
  for (;;) {
    let child = 2 * i + 1;
    if (child >= heap.length) break;
    if (child + 1 < heap.length && before(heap[child + 1] as Due, heap[child] as Due)) child++;
    if (!before(heap[child] as Due, last)) break;
    heap[i] = heap[child] as Due;
    i = child;
  }
  heap[i] = last;
}
