// Steps that make and take away interfaces.
export type LinkStep =
  | { readonly kind: 'remove_interface'; readonly name: string }
  | { readonly kind: 'create_interface'; readonly name: string }
  /** What is set once after creation: no autoconfiguration, and the mark that says whose it is. */
  | { readonly kind: 'prepare_interface'; readonly name: string };
