// A plan is a list of steps, as data: what is to be done to the machine, in this order. Carried out in apply/.
import type { ByFamily } from './ruleset-intent.ts';
import type { Ruleset } from './ruleset-model.ts';

export type Step =
  | {
      readonly kind: 'remove_route';
      readonly destination: string;
      readonly device: string;
      readonly metric: number;
    }
  /** change: what was loaded last is there, and what differs is enough. */
  | { readonly kind: 'set_ruleset'; readonly ruleset: Ruleset; readonly how: 'whole' | 'change' }
  | { readonly kind: 'remove_interface'; readonly name: string }
  | { readonly kind: 'create_interface'; readonly name: string }
  /** What is set once after creation: no autoconfiguration, and the mark that says whose it is. */
  | { readonly kind: 'prepare_interface'; readonly name: string }
  | {
      readonly kind: 'set_device';
      readonly name: string;
      readonly publicKey: string | null;
      readonly listenPort: number | null;
    }
  | { readonly kind: 'set_peer'; readonly interface: string; readonly peer: PeerWrite }
  | { readonly kind: 'remove_peer'; readonly interface: string; readonly publicKey: string }
  | { readonly kind: 'set_link'; readonly name: string; readonly mtu: number }
  | { readonly kind: 'remove_address'; readonly interface: string; readonly address: string }
  | {
      readonly kind: 'add_address';
      readonly interface: string;
      readonly address: string;
      /** Only to be answered for during its lease: not to be added without the rules that see to it. */
      readonly isLeased: boolean;
    }
  | {
      readonly kind: 'set_route';
      readonly destination: string;
      readonly device: string;
      readonly source: string | null;
    }
  | { readonly kind: 'start_forwarding'; readonly family: keyof ByFamily }
  | { readonly kind: 'stop_forwarding'; readonly family: keyof ByFamily }
  | { readonly kind: 'remove_ruleset' };

/** What is written of a peer in one go. What is null is left as the kernel has it. */
export interface PeerWrite {
  readonly publicKey: string;
  readonly endpoint: string | null;
  readonly allowedIps: readonly string[];
  readonly keepalive: number;
  /**
   * new: the kernel does not have it. renew: take it out first, so that its sessions begin anew. change: as it is.
   * place: only the endpoint differs, and nobody answers at the one that the kernel has.
   */
  readonly how: 'new' | 'renew' | 'change' | 'place';
  readonly clearPresharedKey: boolean;
}

/** The key of the entry that a step is about (document.ts), and `forwarding` for what belongs to all of them. */
export function keyOf(step: Step): string {
  switch (step.kind) {
    case 'remove_route':
    case 'set_route':
      return `route/${step.destination}`;
    case 'remove_interface':
    case 'create_interface':
    case 'prepare_interface':
    case 'set_device':
    case 'set_link':
      return `interface/${step.name}`;
    case 'remove_address':
    case 'add_address':
      return `interface/${step.interface}`;
    case 'set_peer':
      return `peer/${step.interface}/${step.peer.publicKey}`;
    case 'remove_peer':
      return `peer/${step.interface}/${step.publicKey}`;
    case 'set_ruleset':
    case 'remove_ruleset':
    case 'start_forwarding':
    case 'stop_forwarding':
      return forwardingKey;
  }
}

/** Stands for the table of rules and the settings that make the machine forward. */
export const forwardingKey = 'forwarding';

const familyNames = { ipv6: 'IPv6', ipv4: 'IPv4' } as const satisfies Record<keyof ByFamily, string>;

/** What was found, said of the machine as it was before the step mended it. */
export function describeDrift(step: Step): string {
  switch (step.kind) {
    case 'remove_route':
      return `there was a route to ${step.destination} through ${step.device} that is not in the document`;
    case 'set_route':
      return `the route to ${step.destination} through ${step.device} was missing or different`;
    case 'remove_interface':
      return `interface ${step.name} is not in the document, or did not answer as a WireGuard interface`;
    case 'create_interface':
      return `interface ${step.name} was missing`;
    case 'prepare_interface':
      return `interface ${step.name} had lost its mark`;
    case 'set_device':
      return `the key or the port of interface ${step.name} was different`;
    case 'set_link':
      return `interface ${step.name} was down or had another MTU`;
    case 'remove_address':
      return `interface ${step.interface} had address ${step.address}, which is not in the document`;
    case 'add_address':
      return `address ${step.address} was missing on interface ${step.interface}`;
    case 'set_peer':
      return step.peer.how === 'new'
        ? `the peer was missing on interface ${step.interface}`
        : `the peer was configured differently on interface ${step.interface}`;
    case 'remove_peer':
      return `interface ${step.interface} had a peer that is not in the document`;
    case 'set_ruleset':
      return 'table inet powernode was missing or different';
    case 'remove_ruleset':
      return 'table inet powernode was there, though nothing needs it';
    case 'start_forwarding':
      return `forwarding of ${familyNames[step.family]} was switched off`;
    case 'stop_forwarding':
      return `forwarding of ${familyNames[step.family]} was still switched on`;
  }
}
