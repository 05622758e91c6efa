// A probe: one UDP datagram through one tunnel, and its answer. Inside the overlay, so it is encrypted and its source
// is proven by WireGuard; it carries nothing that is secret. After BFD (RFC 5880) in what it is for, and simpler.
//
// Layout, big endian, 32 bytes: magic "PNp" and version (4), kind (1: probe 0, answer 1), flags (1: heard 1,
// witness 2, withholds 4), requested interval, or in a probe the round trip (2), sequence (4), size (4), time of sending
// in milliseconds of the sender's own clock (8), the sender's run (8). An answer repeats everything but its kind, flags
// and requested interval. Where the size is not zero it is that of the whole datagram, which is padded with zeros to it:
// whether packets of that size pass.
//
// Beside a probe or an answer with the flag `withholds` goes a datagram that says what is withheld: magic and version (4),
// kind 2 (1), zero (1), how many addresses (2), the addresses (16 each). An agent that does not know it passes it over.
import { healthChecksPerNodeMax } from '../limits/anycast.ts';
import { formatAddress, parseAddress } from '../net/address.ts';

export interface Probe {
  readonly kind: 'probe' | 'answer';
  /**
   * In a probe: answers of this target have arrived lately, so that both directions work (RFC 5880 §6.8.4). In an
   * answer: it goes back by the path of the probe, and not by a backup path, so that it proves that path.
   */
  readonly heard: boolean;
  /**
   * In an answer: a lease may rest on it. A hub that has told the platform that it does not hear a peer is no witness
   * for that peer again until the platform knows better.
   */
  readonly witness: boolean;
  /** The sender holds anycast addresses whose health check fails: `writeWithheld` says which. */
  readonly withholds: boolean;
  /** In an answer of a hub that is probed by very many: milliseconds between probes that it asks for. 0: as usual. */
  readonly requestedIntervalMs: number;
  /**
   * In a probe: how far the sender is, as a smoothed round trip in milliseconds to the hub that it uses, and by a direct
   * path to whom it probes. null: not known. In steps of 0.1 ms, and at most 6.5 s.
   */
  readonly roundTripMs: number | null;
  readonly sequence: number;
  readonly sentAtMs: number;
  /** Drawn by the sender at its start, so that answers to an earlier run are not taken for its own. */
  readonly run: bigint;
  /** Bytes of a padded datagram, which is answered in the same size; absent: not padded. */
  readonly size?: number;
}

const magic = 0x504e7001;
export const probeBytes = 32;

export function writeProbe(probe: Probe): Buffer {
  const size = probe.size ?? 0;
  const bytes = Buffer.alloc(Math.max(probeBytes, size));
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt8(probe.kind === 'probe' ? 0 : 1, 4);
  bytes.writeUInt8((probe.heard ? 1 : 0) | (probe.witness ? 2 : 0) | (probe.withholds ? 4 : 0), 5);
  const pair = probe.kind === 'probe' ? roundTripSteps(probe.roundTripMs) : probe.requestedIntervalMs;
  bytes.writeUInt16BE(Math.min(pair, 0xffff), 6);
  bytes.writeUInt32BE(probe.sequence >>> 0, 8);
  bytes.writeUInt32BE(size, 12);
  bytes.writeDoubleBE(probe.sentAtMs, 16);
  bytes.writeBigUInt64BE(probe.run, 24);
  return bytes;
}

/** null: not a probe of this version. */
export function readProbe(bytes: Uint8Array): Probe | null {
  if (bytes.length < probeBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== magic || view.getUint8(4) > 1) return null;
  const size = view.getUint32(12);
  if (bytes.length !== (size === 0 ? probeBytes : size)) return null;
  const sentAtMs = view.getFloat64(16);
  if (!Number.isFinite(sentAtMs)) return null;
  const kind = view.getUint8(4) === 0 ? 'probe' : 'answer';
  const pair = view.getUint16(6);
  return {
    kind,
    heard: (view.getUint8(5) & 1) === 1,
    witness: (view.getUint8(5) & 2) === 2,
    withholds: (view.getUint8(5) & 4) === 4,
    requestedIntervalMs: kind === 'answer' ? pair : 0,
    roundTripMs: kind === 'answer' || pair === 0 ? null : pair / 10,
    sequence: view.getUint32(8),
    sentAtMs,
    run: view.getBigUint64(24),
    ...(size === 0 ? {} : { size }),
  };
}

/** 0 is what agents say that know nothing of it. */
function roundTripSteps(roundTripMs: number | null): number {
  return roundTripMs === null ? 0 : Math.max(1, Math.round(roundTripMs * 10));
}

const withheldKind = 2;
const withheldHeadBytes = 8;
const addressBytes = 16;

/** Addresses (IPv6) that the sender holds and that are not to be sent to it now; the whole list. */
export function writeWithheld(addresses: readonly string[]): Buffer {
  const list = addresses.slice(0, healthChecksPerNodeMax);
  const bytes = Buffer.alloc(withheldHeadBytes + addressBytes * list.length);
  bytes.writeUInt32BE(magic, 0);
  bytes.writeUInt8(withheldKind, 4);
  bytes.writeUInt16BE(list.length, 6);
  for (const [i, text] of list.entries()) {
    const bits = parseAddress(text)?.bits ?? 0n;
    bytes.writeBigUInt64BE(bits >> 64n, withheldHeadBytes + addressBytes * i);
    bytes.writeBigUInt64BE(bits & 0xffff_ffff_ffff_ffffn, withheldHeadBytes + addressBytes * i + 8);
  }
  return bytes;
}

/** null: not such a list of this version. */
export function readWithheld(bytes: Uint8Array): string[] | null {
  if (bytes.length < withheldHeadBytes) return null;
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  if (view.getUint32(0) !== magic || view.getUint8(4) !== withheldKind) return null;
  const count = view.getUint16(6);
  if (count > healthChecksPerNodeMax || bytes.length !== withheldHeadBytes + addressBytes * count)
    return null;
  return Array.from({ length: count }, (_, i) => {
    const at = withheldHeadBytes + addressBytes * i;
    return formatAddress({ family: 6, bits: (view.getBigUint64(at) << 64n) | view.getBigUint64(at + 8) });
  });
}
