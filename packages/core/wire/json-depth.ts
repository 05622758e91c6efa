// How deep a text of JSON is nested, found without reading it: one character of an empty list costs 28 bytes once it is
// read (measured, V8 of Node 24), so that a frame of brackets would take many times its size.

const quote = 0x22;
const backslash = 0x5c;

/** Whether lists and objects of the text are nested deeper than `depthMax`. The text need not be JSON. */
export function isNestedDeeper(text: string, depthMax: number): boolean {
  let depth = 0;
  for (let at = 0; at < text.length; at++) {
    const code = text.charCodeAt(at);
    if (code === quote) at = endOfString(text, at);
    // [ and ] are 0x5b and 0x5d, { and } are 0x7b and 0x7d.
    else if ((code | 0x20) === 0x7b) {
      depth++;
      if (depth > depthMax) return true;
    } else if ((code | 0x20) === 0x7d) depth--;
  }
  return false;
}

/** The place of the closing quote, or the end of a text that has none. */
function endOfString(text: string, from: number): number {
  for (let at = text.indexOf('"', from + 1); at !== -1; at = text.indexOf('"', at + 1)) {
    let before = at - 1;
    while (text.charCodeAt(before) === backslash) before--;
    if ((at - before) % 2 === 1) return at;
  }
  return text.length;
}
