// Making the machine forward IPv6, and giving the setting back as it was. The kernel stops listening to router
// advertisements when it forwards, so interfaces that listened are told to go on.
import { z } from 'zod';
import { isInterfaceName } from '../../plan/names.ts';
import type { Settings } from '../../ports/settings.ts';
import type { StateFolder } from '../../state/folder.ts';

const originalsFile = 'settings.json';
const confFolder = 'net/ipv6/conf';
const allForwarding = `${confFolder}/all/forwarding`;
const bootIdPath = 'kernel/random/boot_id';

/** Settings as they were before the agent changed them, by their path. They hold for one boot only. */
const originals = z.strictObject({ boot_id: z.string(), values: z.record(z.string(), z.string()) });

export class Forwarding {
  readonly #settings: Settings;
  readonly #folder: StateFolder;
  #values: Record<string, string> | null;

  constructor(settings: Settings, folder: StateFolder) {
    this.#settings = settings;
    this.#folder = folder;
    this.#values = this.#readOriginals();
  }

  isOn(): boolean {
    return this.#settings.read(allForwarding) === '1';
  }

  /** Whether the agent switched it on, and so has to switch it off again. */
  get held(): boolean {
    return this.#values !== null;
  }

  start(): void {
    const settings = this.#settings;
    const before = this.#values ?? {};
    const listeners: string[] = [];
    for (const name of settings.list(confFolder)) {
      if (isInterfaceName(name)) continue;
      remember(before, settings, `${confFolder}/${name}/forwarding`);
      const path = `${confFolder}/${name}/accept_ra`;
      // 2: listen even though this machine forwards. `all` has no say in it; `default` is for interfaces to come.
      if (name === 'all' || name === 'lo' || settings.read(path) !== '1') continue;
      remember(before, settings, path);
      listeners.push(path);
    }
    this.#writeOriginals(before);
    for (const path of listeners) settings.write(path, '2');
    settings.write(allForwarding, '1');
  }

  /** Puts everything back as it was. */
  stop(): void {
    const values = this.#values;
    if (values === null) return;
    // `all` first: writing it writes every interface's, whose own values then follow.
    this.#restore(allForwarding, values[allForwarding]);
    for (const [path, value] of Object.entries(values))
      if (path !== allForwarding) this.#restore(path, value);
    this.#folder.remove(originalsFile);
    this.#values = null;
  }

  #restore(path: string, value: string | undefined): void {
    const present = this.#settings.read(path);
    if (value !== undefined && present !== null && present !== value) this.#settings.write(path, value);
  }

  #writeOriginals(values: Record<string, string>): void {
    const bootId = this.#settings.read(bootIdPath) ?? '';
    this.#folder.write(originalsFile, JSON.stringify({ boot_id: bootId, values }));
    this.#values = values;
  }

  #readOriginals(): Record<string, string> | null {
    const text = this.#folder.read(originalsFile);
    const parsed = originals.safeParse(text === null ? undefined : parseJson(text));
    if (!parsed.success || parsed.data.boot_id !== this.#settings.read(bootIdPath)) return null;
    return parsed.data.values;
  }
}

function remember(values: Record<string, string>, settings: Settings, path: string): void {
  const value = settings.read(path);
  if (value !== null) values[path] ??= value;
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
