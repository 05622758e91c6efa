// Lists the files of a folder of the checkout, in one order, without what is built or installed there.
import { readdirSync } from 'node:fs';
import path from 'node:path';

/** @returns {string[]} */
export function filesBelow(/** @type {string} */ folder) {
  return readdirSync(folder, { withFileTypes: true })
    .filter(({ name }) => name !== 'node_modules' && name !== 'dist')
    .sort((left, right) => (left.name < right.name ? -1 : 1))
    .flatMap((entry) => {
      const full = path.join(folder, entry.name);
      return entry.isDirectory() ? filesBelow(full) : entry.isFile() ? [full] : [];
    });
}
