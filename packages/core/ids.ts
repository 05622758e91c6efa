// Ids of objects, apart from their schemas: the console looks for them too, and brings no schemas to the browser.

/** A UUID as the platform writes it. */
export const idShape = /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

declare const noun: unique symbol;

/**
 * Text that names one thing of a noun. The compiler refuses it where the text of another noun is asked for, so that a map
 * by peers is not asked about a machine. At run time it is text and nothing else, and text that was parsed at an edge
 * becomes one by being given that type there.
 */
type Named<Noun extends string> = string & { readonly [noun]?: Noun };

export type AccountId = Named<'account'>;
export type InstanceId = Named<'instance'>;
export type NetworkId = Named<'network'>;
export type PeerId = Named<'peer'>;
export type RuleId = Named<'firewall_rule'>;
export type VirtualIpId = Named<'virtual_ip'>;
export type PortMappingId = Named<'port_mapping'>;
export type UserDeviceId = Named<'user_device'>;
/** An object of a network beside its peers. */
export type ItemId = RuleId | VirtualIpId | PortMappingId | UserDeviceId;
/** Whatever may be in a group that rules name. */
export type MemberId = PeerId | ItemId;

/** A public key of WireGuard, in base64. */
export type PublicKey = Named<'public_key'>;
