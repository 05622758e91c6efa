// Steps that configure the WireGuard side of interfaces.
export type WireguardStep =
  | {
      readonly kind: 'set_device';
      readonly name: string;
      readonly publicKey: string | null;
      readonly listenPort: number | null;
    }
  | { readonly kind: 'set_peer'; readonly interface: string; readonly peer: PeerWrite }
  | { readonly kind: 'remove_peer'; readonly interface: string; readonly publicKey: string };

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

export function interfaceOf(step: WireguardStep): string {
  return step.kind === 'set_device' ? step.name : step.interface;
}

const kinds: ReadonlySet<string> = new Set<WireguardStep['kind']>(['set_device', 'set_peer', 'remove_peer']);

export function isWireguardStep(step: { readonly kind: string }): step is WireguardStep {
  return kinds.has(step.kind);
}
