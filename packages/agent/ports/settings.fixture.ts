// Test support: settings of a kernel that is a map.
import type { Settings } from './settings.ts';

const familyOf: Readonly<Record<string, string>> = {
  'net/ipv6/conf/all/forwarding': 'ipv6',
  'net/ipv4/ip_forward': 'ipv4',
};

export class FakeSettings implements Settings {
  readonly values: Map<string, string>;

  constructor(values: Readonly<Record<string, string>>) {
    this.values = new Map(Object.entries(values));
  }

  read(path: string): string | null {
    return this.values.get(path) ?? null;
  }

  write(path: string, value: string): void {
    if (!this.values.has(path)) throw new Error(`there is no setting ${path}`);
    this.values.set(path, value);
    // The kernel's own side effects: what is written for all interfaces is written for each.
    const family = familyOf[path];
    if (family === undefined) return;
    for (const other of this.values.keys()) {
      if (other.startsWith(`net/${family}/conf/`) && other.endsWith('/forwarding'))
        this.values.set(other, value);
    }
    if (family === 'ipv4') this.values.set('net/ipv4/conf/all/accept_redirects', value === '1' ? '0' : '1');
  }

  list(path: string): string[] {
    const names = [...this.values.keys()].flatMap((key) =>
      key.startsWith(`${path}/`) ? [key.slice(path.length + 1).split('/')[0] ?? ''] : [],
    );
    return [...new Set(names)];
  }
}
