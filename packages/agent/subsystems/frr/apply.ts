// Brings a daemon of FRR to a configuration: read what runs, compute what differs, send that, read back. What is not
// taken as a whole is put back as a whole. Success is what the running configuration says, not what was answered.
import type { Refusal, Vty } from './vty.ts';

/** The commands, as typed after `configure terminal`, that make the running configuration the wanted one. */
export type ConfigDiff = (running: string, wanted: string) => readonly string[];

export type Applied =
  /** It ran already; nothing was sent. */
  { readonly kind: 'unchanged' } | { readonly kind: 'applied'; readonly commands: number } | Refused;

interface Refused {
  readonly kind: 'refused';
  readonly refusal: Refusal;
  /** Whether what ran before runs again. */
  readonly restored: boolean;
}

/** Of a text that is not sent again, unless the daemon is another one. */
interface KnownRefusal {
  readonly wanted: string;
  readonly generation: number;
  readonly answer: Refused;
}

export class FrrConfig {
  readonly #vty: Vty;
  readonly #diff: ConfigDiff;
  /** The last text that was taken as a whole. */
  #good: string | null = null;
  #refused: KnownRefusal | null = null;
  #last: Promise<unknown> = Promise.resolve();

  constructor(vty: Vty, diff: ConfigDiff) {
    this.#vty = vty;
    this.#diff = diff;
  }

  /** Fails when the daemon is gone, and may then be called again. One that was refused is not sent again. */
  apply(wanted: string): Promise<Applied> {
    const result = this.#last.then(() => this.#apply(wanted));
    this.#last = result.catch(() => undefined);
    return result;
  }

  async #apply(wanted: string): Promise<Applied> {
    const before = await this.#running();
    const known = this.#refused;
    if (known?.wanted === wanted && known.generation === this.#vty.generation) {
      return { ...known.answer, restored: await this.#restore(before, this.#good ?? before) };
    }
    const commands = this.#diff(before, wanted);
    if (commands.length === 0) {
      this.#good = wanted;
      return { kind: 'unchanged' };
    }
    const { refusal } = await this.#vty.configure(commands);
    const after = await this.#running();
    const missing = firstOf(this.#diff(after, wanted));
    if (missing === null) {
      this.#good = wanted;
      this.#refused = null;
      return { kind: 'applied', commands: commands.length };
    }
    const kept = {
      line: missing,
      said: 'The line was accepted and is not in the running configuration.',
    };
    const restored = await this.#restore(after, this.#good ?? before);
    const answer: Refused = { kind: 'refused', refusal: refusal ?? kept, restored };
    this.#refused = { wanted, generation: this.#vty.generation, answer };
    return answer;
  }

  async #restore(running: string, good: string): Promise<boolean> {
    const commands = this.#diff(running, good);
    if (commands.length === 0) return true;
    await this.#vty.configure(commands);
    return this.#diff(await this.#running(), good).length === 0;
  }

  #running(): Promise<string> {
    return this.#vty.show('show running-config');
  }
}

/** The first command that does more than enter a section. null: there is none. */
function firstOf(commands: readonly string[]): string | null {
  const left = commands.findIndex((command) => /^\s*exit/.test(command));
  return commands.at(left > 0 ? left - 1 : -1)?.trim() ?? null;
}
