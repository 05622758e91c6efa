// Hostnames as RFC 1123 §2.1 has them: labels of letters, digits and hyphens, joined by dots. A machine says its own, so
// that a name has no room for anything else.
import { hostnameLengthMax } from '../limits/texts.ts';
import { canonicalAddress } from './address.ts';

const labelLengthMax = 63;
const label = /^[A-Za-z0-9](?:[A-Za-z0-9-]*[A-Za-z0-9])?$/;

/** What is wrong when it is none, for people. */
export const hostnameRule =
  'must be a hostname: letters, digits and hyphens, in parts of at most 63 characters joined by dots, none of which begins or ends with a hyphen';

/** An address in dots is none (RFC 1123 §2.1: software takes it for the address). */
export function isHostname(text: string): boolean {
  if (text.length > hostnameLengthMax || canonicalAddress(text) !== null) return false;
  return text.split('.').every((part) => part.length <= labelLengthMax && label.test(part));
}

/**
 * The hostname that stands for any text: letters lose their accents, every run of other characters becomes a hyphen,
 * parts are cut to 63 characters and the whole to 253. A text without any letter or digit becomes `machine`.
 */
export function asHostname(text: string): string {
  const plain = text
    .normalize('NFKD')
    .replaceAll(/\p{M}/gu, '')
    .replaceAll(/[^A-Za-z0-9.-]+/g, '-');
  const parts = plain.split('.').flatMap((part) => trimmed(trimmed(part).slice(0, labelLengthMax)) || []);
  const whole = parts
    .join('.')
    .slice(0, hostnameLengthMax)
    .replace(/[.-]+$/, '');
  if (whole === '') return 'machine';
  return isHostname(whole) ? whole : whole.replaceAll('.', '-');
}

/** The hostname with a number at its end, for one that is taken. */
export function numberedHostname(hostname: string, number: number): string {
  const end = `-${number}`;
  const kept = hostname.slice(0, hostnameLengthMax - end.length);
  const last = kept.slice(kept.lastIndexOf('.') + 1);
  const cut = Math.max(0, last.length - (labelLengthMax - end.length));
  return `${kept.slice(0, kept.length - cut).replace(/[.-]+$/, '')}${end}`;
}

function trimmed(part: string): string {
  return part.replaceAll(/^-+|-+$/g, '');
}
