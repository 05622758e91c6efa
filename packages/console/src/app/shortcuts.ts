// Which keys do what, and how a sequence of them is read. No elements here.
export interface Shortcut {
  readonly keys: readonly string[];
  readonly what: string;
  readonly to?: '/networks' | '/instances' | '/join' | '/events' | '/approvals' | '/policies' | '/settings';
}

export const shortcuts: readonly Shortcut[] = [
  { keys: ['g', 'n'], what: 'Networks', to: '/networks' },
  { keys: ['g', 'i'], what: 'Instances', to: '/instances' },
  { keys: ['g', 'j'], what: 'Add an instance', to: '/join' },
  { keys: ['g', 'e'], what: 'Events', to: '/events' },
  { keys: ['g', 'a'], what: 'Approvals', to: '/approvals' },
  { keys: ['g', 'p'], what: 'Policies', to: '/policies' },
  { keys: ['g', 's'], what: 'Settings', to: '/settings' },
  { keys: ['/'], what: 'Filter the list' },
  { keys: ['?'], what: 'Show keyboard shortcuts' },
];

/** Between two keys of one sequence. */
export const sequenceMs = 1_200;

export interface Pressed {
  readonly keys: readonly string[];
  readonly at: number;
}

export const nothingPressed: Pressed = { keys: [], at: 0 };

/** Takes one more key: the shortcut that it completes, if any, and what is to be remembered for the next one. */
export function press(
  before: Pressed,
  key: string,
  at: number,
): { readonly shortcut: Shortcut | null; readonly pressed: Pressed } {
  const kept = at - before.at <= sequenceMs ? before.keys : [];
  for (const keys of [[...kept, key], [key]]) {
    const fits = shortcuts.filter((s) => keys.every((k, i) => s.keys[i] === k));
    const whole = fits.find((s) => s.keys.length === keys.length);
    if (whole !== undefined) return { shortcut: whole, pressed: nothingPressed };
    if (fits.length > 0) return { shortcut: null, pressed: { keys, at } };
  }
  return { shortcut: null, pressed: nothingPressed };
}
