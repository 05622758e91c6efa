// Steps that set addresses, the MTU and the state of interfaces.
export type AddressStep =
  | { readonly kind: 'set_link'; readonly name: string; readonly mtu: number }
  | { readonly kind: 'remove_address'; readonly interface: string; readonly address: string }
  | {
      readonly kind: 'add_address';
      readonly interface: string;
      readonly address: string;
      /** Only to be answered for during its lease: not to be added without the rules that see to it. */
      readonly isLeased: boolean;
    };
