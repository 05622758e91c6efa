// Which files have to be linted again. Rules with types depend on all that a file imports, directly or through others:
// what changed is linted, and everything that imports it. Imports are found too often rather than not at all.
import { createHash } from 'node:crypto';
import path from 'node:path';

/**
 * @typedef {ReadonlyMap<string, string>} Sources paths from the root of the checkout, with their texts
 * @typedef {{ surroundings: string, hashes: Record<string, string> }} Memory
 */

const code = /\.[cm]?[jt]sx?$/;
/** What says how sources are read and which there are. */
const configuration =
  /(^|\/)(package(-lock)?\.json|tsconfig[^/]*\.json|\.oxlintrc\.jsonc?|oxlint\.config\.\w+|\.(git|eslint|oxlint)ignore)$/;
/** Declarations that hold without being imported; in quotes they are none. */
const declaresForAll = /(?<!['"`])\bdeclare\s+(global|module)\b|^\/\/\/\s*</m;
/** Any text in quotes that could be a specifier of a file here, also in comments: they have types of JSDoc. */
const specifier = /(?<=['"`])(?:\.\.?|@powernode)\/[^'"`\n]*/g;

/**
 * @param {Sources} sources
 * @param {readonly string[]} tools what tells one installation of the linter and the dependencies from another
 * @returns {Memory}
 */
export function memoryOf(sources, tools) {
  const files = [...sources].sort(([left], [right]) => (left < right ? -1 : 1));
  /** @type {Record<string, string>} */
  const hashes = Object.fromEntries(files.map(([file, text]) => [file, hashOf(text)]));
  const forAll = files
    .filter(([file, text]) => concernsAll(file, text))
    .map(([file]) => [file, hashes[file]]);
  return { surroundings: hashOf(JSON.stringify([tools, forAll])), hashes };
}

/**
 * @param {Memory | null} before of the last run that found nothing
 * @param {Memory} now
 * @param {Sources} sources
 * @returns {string[] | null} null for all
 */
export function filesToLint(before, now, sources) {
  if (before?.surroundings !== now.surroundings) return null;
  const changed = Object.keys({ ...before.hashes, ...now.hashes }).filter(
    (file) => before.hashes[file] !== now.hashes[file],
  );
  if (changed.length === 0) return [];
  const importers = importersIn(sources);
  const found = new Set(changed);
  // A set is walked with what is added to it meanwhile.
  for (const file of found) for (const importer of importers.get(stemOf(file)) ?? []) found.add(importer);
  // What holds without being imported may say something else by what it imports.
  if (sources.entries().some(([file, text]) => found.has(file) && concernsAll(file, text))) return null;
  return [...found].filter((file) => code.test(file) && sources.has(file)).sort();
}

/** @returns {Map<string, string[]>} by the stem of what is imported, whether that exists or not */
function importersIn(/** @type {Sources} */ sources) {
  /** @type {Map<string, string[]>} */
  const importers = new Map();
  for (const [file, text] of sources) {
    if (!code.test(file)) continue;
    for (const stem of importsOf(file, text)) {
      const all = importers.get(stem);
      if (all === undefined) importers.set(stem, [file]);
      else all.push(file);
    }
  }
  return importers;
}

/** @returns {Set<string>} stems */
export function importsOf(/** @type {string} */ file, /** @type {string} */ text) {
  return new Set(
    Array.from(text.matchAll(specifier), ([target]) =>
      stemOf(
        target.startsWith('.')
          ? path.posix.join(path.posix.dirname(file), target)
          : target.replace('@powernode/', 'packages/'),
      ),
    ),
  );
}

/** One for all files that an import may mean, such as `lock.mjs` with its `lock.d.mts`. */
export function stemOf(/** @type {string} */ file) {
  return file.replace(/(\.d)?\.([cm]?[jt]sx?|json)$/, '');
}

/** @returns {boolean} */
function concernsAll(/** @type {string} */ file, /** @type {string} */ text) {
  if (configuration.test(file) || /\.d\.[cm]?ts$/.test(file)) return true;
  return code.test(file) && declaresForAll.test(text);
}

function hashOf(/** @type {string} */ text) {
  return createHash('sha256').update(text).digest('base64url');
}
