// A configuration of FRR as lines with their contexts, from which text is made and which is made from text.

export interface ConfigLine {
  /** The lines that open the contexts around it, the outermost first. */
  readonly path: readonly string[];
  readonly line: string;
}

/** Lines of one context in the order in which they are written. */
export function inContext(path: readonly string[], lines: readonly string[]): ConfigLine[] {
  return lines.map((line) => ({ path, line }));
}

/** A context: the line that opens it, and its lines. */
export function context(opening: string, lines: readonly string[]): ConfigLine[] {
  return [{ path: [], line: opening }, ...inContext([opening], lines)];
}

/** The text of a file. A context is closed where the next line is not in it. */
export function configText(lines: readonly ConfigLine[]): string {
  const texts: string[] = [];
  let open: readonly string[] = [];
  const closeTo = (depth: number) => {
    for (let i = open.length - 1; i >= depth; i--) texts.push(`${' '.repeat(i)}${closing(open[i] ?? '')}`);
  };
  for (const { path, line } of lines) {
    closeTo(commonDepth(open, path));
    texts.push(`${' '.repeat(path.length)}${line}`);
    open = opensContext(line) ? [...path, line] : path;
  }
  closeTo(0);
  return texts.map((text) => `${text}\n`).join('');
}

export function commonDepth(a: readonly string[], b: readonly string[]): number {
  const shorter = Math.min(a.length, b.length);
  for (let i = 0; i < shorter; i++) if (a[i] !== b[i]) return i;
  return shorter;
}

/** The line that leaves a context. */
export function closing(opening: string): string {
  return opening.startsWith('address-family ') ? 'exit-address-family' : 'exit';
}

export function opensContext(line: string): boolean {
  return /^(?:router bgp |address-family |route-map \S+ (?:permit|deny) \d+$|bfd$|profile |peer |vrf |segment-routing)/.test(
    line,
  );
}

/** Lines of a running configuration about the daemon and the machine, which the agent does not configure. */
const notConfigured =
  /^(?:frr |hostname |domainname |bgp no-rib$|log |no log |service |no service |password |enable password |(?:no )?ipv?6? forwarding$|Building configuration|Current configuration|line vty$|end$|exit$|exit-|!|$)/;

/** Reads what `show running-config` prints. */
export function readConfig(text: string): ConfigLine[] {
  const lines: ConfigLine[] = [];
  let open: { readonly indent: number; readonly line: string }[] = [];
  for (const raw of text.split('\n')) {
    const line = raw.trim();
    if (notConfigured.test(line)) continue;
    const indent = raw.length - raw.trimStart().length;
    open = open.filter((one) => one.indent < indent);
    lines.push({ path: open.map((one) => one.line), line });
    if (opensContext(line)) open.push({ indent, line });
  }
  return lines;
}
