// Test support: a configuration of FRR as lines with the sections they are in, and the simplest difference of two.

/** Lines that begin a section, by how deep they stand. */
const openers = [/^(router bgp|route-map|bfd$)/, /^(address-family|profile)/];
/** What FRR prints around a configuration, and what follows from how it was started. */
const furniture = /^(!.*|exit|exit-address-family|end|frr (version|defaults) .*|hostname .*|bgp no-rib|)$/;

const mark = '\u0001';

/** Each line with the sections that it is in. */
export function sectionsOf(text: string): string[] {
  const found: string[] = [];
  let sections: string[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (line === 'exit-address-family') sections = sections.slice(0, 1);
    if (line === 'exit') sections = sections.slice(0, -1);
    if (furniture.test(line)) continue;
    if (openers[0]?.test(line)) sections = [];
    if (sections.length > 0 && openers[1]?.test(line)) sections = sections.slice(0, 1);
    found.push([...sections, line].join(mark));
    if (isOpener(line, sections.length)) sections = [...sections, line];
  }
  return [...new Set(found)];
}

export function isOpener(line: string, depth: number): boolean {
  return openers[depth]?.test(line) ?? false;
}

export function simpleDiff(running: string, wanted: string): string[] {
  const before = sectionsOf(running);
  const after = sectionsOf(wanted);
  const gone = before.filter((line) => !after.includes(line));
  const removals = gone.filter((line) => !gone.some((other) => line.startsWith(`${other}${mark}`)));
  const additions = after.filter((line) => !before.includes(line));
  return [
    ...removals.flatMap((line) => typed(line, negated)),
    ...additions.flatMap((line) => typed(line, (last) => last)),
  ];
}

/** What takes a line away. */
export function negated(line: string): string {
  return line.startsWith('no ') ? line.slice(3) : `no ${line}`;
}

function typed(path: string, write: (line: string) => string): string[] {
  const parts = path.split(mark);
  const line = parts.at(-1) ?? '';
  const sections = parts.slice(0, -1);
  const written = write(line);
  const entered = written === line && isOpener(line, sections.length) ? 1 : 0;
  return [...sections, written, ...Array<string>(sections.length + entered).fill('exit')];
}
