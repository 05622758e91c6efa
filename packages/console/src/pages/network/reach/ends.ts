// The two ends of a question "does this reach that?": as text in an address of the console, and as parameters. No
// elements here.

export type EndKind = 'peer' | 'user_device' | 'virtual_ip' | 'address';
export interface End {
  readonly kind: EndKind;
  /** An identifier, or an address as it was written. */
  readonly value: string;
}

const kinds: readonly EndKind[] = ['peer', 'user_device', 'virtual_ip', 'address'];

export const protocols = ['icmp6', 'tcp', 'udp'] as const;
export type Protocol = (typeof protocols)[number];
export const protocolTexts: Readonly<Record<Protocol, string>> = { icmp6: 'ICMP', tcp: 'TCP', udp: 'UDP' };

export function protocolOf(text: string | undefined): Protocol {
  return protocols.find((name) => name === text) ?? 'icmp6';
}

export function endText({ kind, value }: End): string {
  return `${kind}:${value}`;
}

/** Reads `peer:<id>`; null: it is not one. An address has colons of its own. */
export function readEnd(text: string | undefined): End | null {
  if (text === undefined) return null;
  const at = text.indexOf(':');
  const kind = kinds.find((name) => name === text.slice(0, at));
  const value = text.slice(at + 1);
  return kind === undefined || value === '' ? null : { kind, value };
}

export interface Question {
  readonly from: End;
  readonly to: End;
  readonly protocol: Protocol;
  /** Absent: of a protocol without ports, or any port. */
  readonly port?: number;
}

/** As parameters of the action. What was left empty is not sent, so that the platform says what is missing. */
export function questionParameters(networkId: string, { from, to, protocol, port }: Question) {
  return {
    network_id: networkId,
    source: sideOf(from),
    destination: sideOf(to),
    protocol,
    ...(protocol === 'icmp6' || port === undefined ? {} : { port }),
  };
}

function sideOf({ kind, value }: End): { readonly [member: string]: string } {
  if (value.trim() === '') return {};
  return { [kind === 'address' ? 'address' : `${kind}_id`]: value.trim() };
}
