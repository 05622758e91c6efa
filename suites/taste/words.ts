// The words of the surfaces: which ones are not used there, what is used instead, and how texts are found in sources.
import { readFileSync } from 'node:fs';
import { parseAst } from 'rolldown/parseAst';

export interface BannedWord {
  readonly pattern: RegExp;
  /** What is written instead. */
  readonly instead: string;
  /** Phrases in which the word is the right one; they are taken out before the search. */
  readonly but?: RegExp;
}

export const bannedWords: readonly BannedWord[] = [
  { pattern: /\bmachines?\b/i, instead: 'instance', but: /\bvirtual machines?\b|\bmachine-readable\b/gi },
  { pattern: /\bnodes?\b/i, instead: 'instance, or peer', but: /\bNode \d+|\bNode\.js\b/g },
  {
    pattern: /\bhosts?\b/i,
    instead: 'instance; host only of a lab',
    but: /\bhost ?names?\b|\bhost bits\b|(https:\/\/|@)host\b|\bhosts, NATs\b|^Host: /gim,
  },
  { pattern: /\bpictures?\b/i, instead: 'topology' },
  { pattern: /\bdoors?\b/i, instead: 'port mapping, port forwarding' },
  { pattern: /\bleads? to\b/i, instead: 'target' },
  { pattern: /\bon (the|its) way\b/i, instead: 'direction: ingress or egress; path' },
  { pattern: /\bno rule names\b/i, instead: 'default policy' },
  { pattern: /\bjudge[sd]?\b/i, instead: 'evaluate' },
  { pattern: /\b(seen|called|met) at\b/i, instead: 'public address, endpoint' },
  { pattern: /\bIPv4 legs?\b/i, instead: 'IPv4, ipv4_prefix' },
  { pattern: /\balive\b/i, instead: 'up' },
  { pattern: /\b(is|are|was|were|been) made\b/i, instead: 'created' },
  {
    pattern:
      /\bmakes? (a|an|the|another|new) (account|command|grant|instance|key|mapping|network|operator|peer|port|rule|token|virtual)\b/i,
    instead: 'create',
    but: /\bmake the peer a hub\b/gi,
  },
  { pattern: /\b(tak(e|es|en|ing)|took) back\b/i, instead: 'roll back, revoke' },
  { pattern: /\bissued? again\b/i, instead: 'reissue' },
  { pattern: /\bshut out\b|\b(let|lets) (in|one|exactly)\b/i, instead: 'revoke, accept, add' },
  { pattern: /\b(whoever|somebody|everybody)\b/i, instead: 'the noun: requester, operator, any source' },
  { pattern: /\byou may\b/i, instead: 'permissions; you can' },
  { pattern: /^\s*(keep|leave) it\s*$/i, instead: 'Cancel' },
  { pattern: /\bmend(s|ed|ing)?\b/i, instead: 'repair' },
  { pattern: /\bplace unknown\b/i, instead: 'endpoint unknown' },
  { pattern: /\btargets? sees?\b/i, instead: 'client IP preserved; packets reach the target with …' },
  // The ordinary words, as in "behind NAT", are told by what stands beside them.
  { pattern: /^\s*behind\s*$|\b(is|are|still) behind(?=[.,;:)]|$)/, instead: 'out of date' },
  { pattern: /^\s*parts\s*$/i, instead: 'health' },
  {
    pattern: /^\s*ends\s*$|\b(token|link|grant|certificate|request)s? ends? (at|in|on)\b/i,
    instead: 'expires',
  },
  {
    pattern: /^\s*away\s*$|\b(stream|agent|instance|peer|hub)s? (is|are|was|were) away\b/i,
    instead: 'offline',
  },
];

/** Words that no name of the API has between its separators, with what is written instead. */
export const bannedInNames: readonly BannedWord[] = [
  { pattern: inName('mend(s|ed|ing)?'), instead: 'repair' },
  { pattern: inName('told|tell(s|ing)?'), instead: 'report, notify' },
  { pattern: inName('legs?'), instead: 'ipv4_prefix' },
  { pattern: inName('doors?'), instead: 'port_mapping' },
  { pattern: inName('pictures?'), instead: 'topology' },
];

function inName(word: string): RegExp {
  return new RegExp(`(?<![a-z0-9])(${word})(?![a-z0-9])`);
}

export interface Text {
  readonly line: number;
  readonly text: string;
}

/** What a sentence says that has a banned word: `"door": write port mapping`. */
export function faultsIn({ line, text }: Text, words: readonly BannedWord[] = bannedWords): string[] {
  return words.flatMap(({ pattern, instead, but }) => {
    const found = pattern.exec(but === undefined ? text : text.replaceAll(but, ''));
    return found === null ? [] : [`${line}: "${found[0]}" (write ${instead}) in: ${text.slice(0, 120)}`];
  });
}

/** Lines of a page without its code: names in code are the API's. */
export function textsOfMarkdown(file: string): Text[] {
  const text = readFileSync(file, 'utf8').replaceAll(/^( *)```[^]*?^\1```$/gm, (block) =>
    block.replaceAll(/[^\n]/g, ''),
  );
  return text.split('\n').map((line, i) => ({
    line: i + 1,
    text: line.replaceAll(/`[^`]*`|\]\([^)]*\)|<!--.*?-->/g, ' '),
  }));
}

/** Names that a program gives: kinds of events (`sdwan.peer.attached`), and the codes of fields and problems. */
export function namesOfSource(file: string): Text[] {
  const source = readFileSync(file, 'utf8');
  const program = parseAst(source, { lang: file.endsWith('x') ? 'tsx' : 'ts' }, file);
  const names: Text[] = [];
  const lineOf = (at: number) => source.slice(0, at).split('\n').length;
  const add = (at: number, text: string) => names.push({ line: lineOf(at), text });
  walk(program as unknown as Visited, (node) => {
    for (const text of literalsIn(node)) if (/^(sdwan|system|…)\./.test(text)) add(node.start, text);
    const key = node['key'] as Visited | undefined;
    if (node.type === 'Property' && key?.['name'] === 'code') {
      walk(node['value'] as Visited, (inner) => {
        for (const text of literalsIn(inner)) if (/^[a-z0-9_]+$/.test(text)) add(inner.start, text);
        return true;
      });
    }
    return true;
  });
  return names;
}

/** The text of a literal, or the parts of a template. */
function literalsIn(node: Visited): string[] {
  if (node.type === 'Literal') return typeof node['value'] === 'string' ? [node['value']] : [];
  if (node.type !== 'TemplateLiteral') return [];
  const parts = node['quasis'] as readonly { readonly value: { readonly cooked: string } }[];
  return [parts.map(({ value }) => value.cooked).join('…')];
}

interface Visited {
  readonly type: string;
  readonly start: number;
  readonly [member: string]: unknown;
}

/** What a program shows to people: text between tags, and literals of several words or with a capital. */
export function textsOfSource(file: string): Text[] {
  const source = readFileSync(file, 'utf8');
  const program = parseAst(source, { lang: file.endsWith('x') ? 'tsx' : 'ts' }, file);
  const texts: Text[] = [];
  const lineOf = (at: number) => source.slice(0, at).split('\n').length;
  const add = (node: Visited, text: string) => {
    // Members and placeholders are names of the API, code in a sentence is a command.
    const words = text.replaceAll(/`[^`]*`|"[^"]*"|\b\w+_\w+\b|--?[a-z][\w-]*/g, ' ');
    if (/[a-z…] +[a-z…]|^[A-Z]/.test(words) && !isQuery(words))
      texts.push({ line: lineOf(node.start), text: words });
  };
  walk(program as unknown as Visited, (node) => {
    if (notShown.has(node.type)) return false;
    if (node.type === 'JSXText') add(node, String(node['value']));
    for (const text of literalsIn(node)) add(node, text);
    return true;
  });
  return texts;
}

/** Types, names of modules, and what only programmers read. */
const notShown = new Set([
  'ImportDeclaration',
  'TSTypeAnnotation',
  'TSTypeAliasDeclaration',
  'TSInterfaceDeclaration',
]);

function isQuery(text: string): boolean {
  return /^\s*(-- |create table\b|alter table\b|select|insert|update|delete|with|from|join|where|and|or|case|set|values)\b/.test(
    text,
  );
}

function walk(node: Visited, visit: (node: Visited) => boolean): void {
  if (isInternalError(node) || !visit(node)) return;
  for (const member of Object.values(node)) {
    for (const one of Array.isArray(member) ? member : [member]) {
      if (typeof one === 'object' && one !== null && typeof one.type === 'string')
        walk(one as Visited, visit);
    }
  }
}

/** `new Error(…)` is for a stack; what is for people is a ProductError. Lines of logs are not for people either. */
function isInternalError(node: Visited): boolean {
  const callee = node['callee'] as Visited | undefined;
  if (node.type === 'NewExpression') return callee?.['name'] === 'Error';
  if (node.type !== 'CallExpression' || callee?.type !== 'MemberExpression') return false;
  const level = (callee['property'] as Visited)['name'];
  return ['debug', 'info', 'warn', 'error'].includes(String(level));
}
