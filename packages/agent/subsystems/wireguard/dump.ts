// Reads what `wg show all dump` and `wg show INTERFACE dump` print. Stingy: a line that is not exactly what the
// tool is known to print is an error that quotes it, with every key in it left out.
import { ProductError } from '@powernode/core/errors';
import type { ObservedDevice, ObservedPeer } from '../observed.ts';

/** Devices by interface; lines of interfaces that `wanted` refuses are passed over unread. */
export function parseDumpOfAll(text: string, wanted: (name: string) => boolean): Map<string, ObservedDevice> {
  const linesOf = new Map<string, string[]>();
  for (const line of linesIn(text)) {
    const tab = line.indexOf('\t');
    if (tab < 1) throw unreadable('an interface name and a tab', line);
    const name = line.slice(0, tab);
    if (!wanted(name)) continue;
    const lines = linesOf.get(name);
    if (lines === undefined) linesOf.set(name, [line.slice(tab + 1)]);
    else lines.push(line.slice(tab + 1));
  }
  return new Map([...linesOf].map(([name, lines]) => [name, parseDevice(lines)]));
}

export function parseDump(text: string): ObservedDevice {
  return parseDevice(linesIn(text));
}

/**
 * The same after a change to few of many peers: only their lines are read, and the others are as they were.
 * `changed` are public keys.
 */
export function parseDumpOfSome(
  text: string,
  before: ObservedDevice,
  changed: ReadonlySet<string>,
): ObservedDevice {
  const head = text.slice(0, text.indexOf('\n') + 1);
  const device = parseDump(head);
  const peers = new Map(before.peers);
  for (const publicKey of changed) {
    const start = text.indexOf(`\n${publicKey}\t`) + 1;
    if (start === 0) peers.delete(publicKey);
    else peers.set(publicKey, parsePeer(text.slice(start, text.indexOf('\n', start))));
  }
  return { ...device, peers };
}

function linesIn(text: string): string[] {
  if (text === '') return [];
  if (!text.endsWith('\n')) throw unreadable('a line end', text.slice(-80));
  return text.slice(0, -1).split('\n');
}

function parseDevice(lines: readonly string[]): ObservedDevice {
  const [head, ...rest] = lines;
  if (head === undefined) throw unreadable('a line for the interface', '');
  const fields = head.split('\t');
  // The first field is the private key: it is neither kept nor quoted.
  const [, publicKey, listenPort] = fields;
  if (fields.length !== 4) throw unreadable('4 fields for an interface', head);
  const peers = new Map<string, ObservedPeer>();
  for (const line of rest) {
    const peer = parsePeer(line);
    peers.set(peer.publicKey, peer);
  }
  return {
    publicKey: optional(publicKey, isKey, 'a public key', head),
    listenPort: natural(listenPort, head),
    peers,
  };
}

function parsePeer(line: string): ObservedPeer {
  const fields = line.split('\t');
  const [publicKey, presharedKey, endpoint, allowedIps, handshake, rx, tx, keepalive] = fields;
  if (fields.length !== 8) throw unreadable('8 fields for a peer', line);
  if (publicKey === undefined || !isKey(publicKey)) throw unreadable('a public key', line);
  return {
    publicKey,
    hasPresharedKey: optional(presharedKey, isKey, 'a preshared key', line) !== null,
    endpoint: optional(
      endpoint,
      (text) => /^(?:[\d.]+|\[[\da-f:.]+(?:%\S+)?\]):\d+$/.test(text),
      'an endpoint',
      line,
    ),
    allowedIps: allowedIps === '(none)' || allowedIps === undefined ? [] : allowedIps.split(','),
    lastHandshakeS: natural(handshake, line),
    rxBytes: natural(rx, line),
    txBytes: natural(tx, line),
    keepalive: keepalive === 'off' ? 0 : natural(keepalive, line),
  };
}

function isKey(text: string): boolean {
  return text.length === 44 && text.endsWith('=');
}

function optional(
  text: string | undefined,
  fits: (text: string) => boolean,
  what: string,
  line: string,
): string | null {
  if (text === '(none)') return null;
  if (text !== undefined && fits(text)) return text;
  throw unreadable(what, line);
}

function natural(text: string | undefined, line: string): number {
  if (text === undefined || !/^\d{1,16}$/.test(text)) throw unreadable('a number', line);
  return Number(text);
}

function unreadable(what: string, line: string): ProductError {
  const quoted = line.replaceAll(/[A-Za-z0-9+/]{43}=/g, '(key)').slice(0, 200);
  return new ProductError(
    'command_failed',
    `wg show printed ${JSON.stringify(quoted)} where ${what} was expected.`,
  );
}
