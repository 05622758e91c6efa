// Test support: settings of a kernel that is a map.
import type { Settings } from './settings.ts';

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
    // The kernel's own side effect: what is written for all interfaces is written for each.
    if (path !== 'net/ipv6/conf/all/forwarding') return;
    for (const other of this.values.keys()) {
      if (/^net\/ipv6\/conf\/[^/]+\/forwarding$/.test(other)) this.values.set(other, value);
    }
  }

  list(path: string): string[] {
    const names = [...this.values.keys()].flatMap((key) =>
      key.startsWith(`${path}/`) ? [key.slice(path.length + 1).split('/')[0] ?? ''] : [],
    );
    return [...new Set(names)];
  }
}
