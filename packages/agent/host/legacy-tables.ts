// Tables of iptables-legacy. nft does not list them; the kernel lists their names, and those of iptables-nft are none of them
// (xtables-legacy(8)).
import { readFileSync } from 'node:fs';
import path from 'node:path';

const files = { 4: 'ip_tables_names', 6: 'ip6_tables_names' } as const;

/** The families that have a table of filters. `folder`: where the kernel has its lists. */
export function legacyTablesOf(folder = '/proc/net'): (4 | 6)[] {
  return ([4, 6] as const).filter((family) => {
    try {
      return readFileSync(path.join(folder, files[family]), 'utf8').split('\n').includes('filter');
    } catch {
      // The kernel has none.
      return false;
    }
  });
}
