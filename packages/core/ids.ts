// Ids of objects, apart from their schemas: the console looks for them too, and brings no schemas to the browser.

/** A UUID as the platform writes it. */
export const idShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

declare const noun: unique symbol;

/**
 * The id of an object, of a noun as the API calls it: `Id<'port_mapping'>`. The compiler refuses it where the id of another
 * noun is asked for, so that a map by peers is not asked about a machine. At run time it is text and nothing else, and text
 * that was parsed at an edge becomes one by being given that type there.
 */
export type Id<Noun extends string> = string & { readonly [noun]?: Noun };

export type AccountId = Id<'account'>;
export type InstanceId = Id<'instance'>;
export type NetworkId = Id<'network'>;
export type PeerId = Id<'peer'>;

/** A public key of WireGuard, in base64. It is told from ids as they are from each other. */
export type PublicKey = Id<'public_key'>;
