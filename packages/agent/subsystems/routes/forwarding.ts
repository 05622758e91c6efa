// Making the machine forward, each family by itself, and giving the settings back as they were. The kernel stops
// listening to IPv6 router advertisements when it forwards, so interfaces that listened are told to go on.
import { parseJson } from '@powernode/core/json';
import { z } from 'zod';
import type { Settings } from '../../ports/settings.ts';
import type { StateFolder } from '../../state/folder.ts';
import { isInterfaceName } from '../links/names.ts';
import type { ByFamily } from '../observed.ts';

type FamilyName = keyof ByFamily;

const originalsFile = 'settings.json';
const bootIdPath = 'kernel/random/boot_id';

/** The setting that is the family's: writing it writes every interface's. */
const mainPaths = {
  ipv6: 'net/ipv6/conf/all/forwarding',
  ipv4: 'net/ipv4/ip_forward',
} as const satisfies Record<FamilyName, string>;

/** Settings as they were before the agent changed them, by their path. They hold for one boot only. */
const originals = z.strictObject({ boot_id: z.string(), values: z.record(z.string(), z.string()) });

/** Runs a write of the state directory, now or as soon as the disk takes it (state/unstored.ts). */
export type StoreLater = (what: string, write: () => void) => void;

export const storeNow: StoreLater = (_what, write) => write();

export class Forwarding {
  readonly #settings: Settings;
  readonly #folder: StateFolder;
  readonly #store: StoreLater;
  #values: Readonly<Record<string, string>>;

  constructor(settings: Settings, folder: StateFolder, store: StoreLater = storeNow) {
    this.#settings = settings;
    this.#folder = folder;
    this.#store = store;
    this.#values = this.#readOriginals();
  }

  isOn(): ByFamily {
    const isOn = (family: FamilyName) => this.#settings.read(mainPaths[family]) === '1';
    return { ipv6: isOn('ipv6'), ipv4: isOn('ipv4') };
  }

  /** Whether the agent switched it on, and so has to switch it off again. */
  get held(): ByFamily {
    const isHeld = (family: FamilyName) => this.#values[mainPaths[family]] !== undefined;
    return { ipv6: isHeld('ipv6'), ipv4: isHeld('ipv4') };
  }

  start(family: FamilyName): void {
    const settings = this.#settings;
    const values = { ...this.#values };
    for (const path of pathsWrittenBy(settings, family)) remember(values, settings, path);
    const listeners = family === 'ipv6' ? listenersOf(settings) : [];
    for (const path of listeners) remember(values, settings, path);
    this.#writeOriginals(values);
    // 2: listen even though this machine forwards.
    for (const path of listeners) settings.write(path, '2');
    settings.write(mainPaths[family], '1');
  }

  /** Puts everything of the family back as it was. */
  stop(family: FamilyName): void {
    const main = mainPaths[family];
    const isOwn = (path: string) => path.startsWith(`net/${family}/`);
    // The main one first: writing it writes every interface's, whose own values then follow.
    this.#restore(main, this.#values[main]);
    for (const [path, value] of Object.entries(this.#values))
      if (isOwn(path) && path !== main) this.#restore(path, value);
    this.#writeOriginals(Object.fromEntries(Object.entries(this.#values).filter(([path]) => !isOwn(path))));
  }

  #restore(path: string, value: string | undefined): void {
    const present = this.#settings.read(path);
    if (value !== undefined && present !== null && present !== value) this.#settings.write(path, value);
  }

  #writeOriginals(values: Record<string, string>): void {
    const bootId = this.#settings.read(bootIdPath) ?? '';
    this.#values = values;
    this.#store('the kernel settings from before the agent changed them', () => {
      if (Object.keys(values).length === 0) this.#folder.remove(originalsFile);
      else this.#folder.write(originalsFile, JSON.stringify({ boot_id: bootId, values }));
    });
  }

  #readOriginals(): Readonly<Record<string, string>> {
    const text = this.#folder.read(originalsFile);
    const parsed = originals.safeParse(text === null ? undefined : parseJson(text));
    if (!parsed.success || parsed.data.boot_id !== this.#settings.read(bootIdPath)) return {};
    return parsed.data.values;
  }
}

/** What changes when the family's main setting is written, the agent's own interfaces left out. */
function pathsWrittenBy(settings: Settings, family: FamilyName): string[] {
  const folder = `net/${family}/conf`;
  const names = settings.list(folder).filter((name) => !isInterfaceName(name));
  const paths = names.map((name) => `${folder}/${name}/forwarding`);
  // `all` of IPv4 is its main setting under another name, and takes this one along.
  return family === 'ipv4' ? [mainPaths.ipv4, ...paths, `${folder}/all/accept_redirects`] : paths;
}

/** Where router advertisements are listened to. `all` has no say in it; `default` is for interfaces to come. */
function listenersOf(settings: Settings): string[] {
  return settings
    .list('net/ipv6/conf')
    .filter((name) => !isInterfaceName(name) && name !== 'all' && name !== 'lo')
    .map((name) => `net/ipv6/conf/${name}/accept_ra`)
    .filter((path) => settings.read(path) === '1');
}

function remember(values: Record<string, string>, settings: Settings, path: string): void {
  const value = settings.read(path);
  if (value !== null) values[path] ??= value;
}
