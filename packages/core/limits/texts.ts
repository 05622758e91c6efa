// Limits of the texts, lists and numbers of messages and rows, whoever sends them.
// The reason for each number stands beside it.

/** Names are shown in tables and used in messages; longer ones break both. */
export const nameLengthMax = 100;
export const descriptionLengthMax = 1000;
/** As long as a label of DNS, so that names of machines can be tags. */
export const tagLengthMax = 63;
export const tagsPerObjectMax = 32;
/** Texts of known form, as long as the longest of them. A UUID (RFC 9562), and what identifiers are on the wire. */
export const uuidLength = 36;
export const wireIdLengthMax = 64;
/** WireGuard's key in base64. */
export const publicKeyLength = 44;
/** An address with a length or a port: IPv6 with an embedded IPv4 address is 45 characters, `[]:65535` 8 more. */
export const addressTextMax = 60;
/** The same as a kernel prints it, with the name of an interface for link-local ones. */
export const endpointTextMax = 80;
/** RFC 3339 with nanoseconds and an offset is 35 characters. */
export const timeTextMax = 40;
/** `65535-65535`. */
export const portRangeLengthMax = 11;
/** Linux cuts names of interfaces at this; handles are what is left of it beside `wg-` and a slot. */
export const interfaceNameLengthMax = 15;
export const networkHandleLengthMax = 9;
/** The longest key of an entry names a network, a tag and an address (wire/document.ts). */
export const entryKeyLengthMax = 300;
/** Names of kinds of entries and of messages, also of those of a later version. */
export const entryKindLengthMax = 40;
export const messageKindLengthMax = 40;
/** A name of DNS (RFC 1035 §2.3.4). */
export const hostnameLengthMax = 253;
/** Semantic versions with a build's name. */
export const versionLengthMax = 50;
/** Addresses of listeners, and SPIFFE IDs: https://host of DNS, and little behind it. */
export const urlLengthMax = 500;
/** `pnj_`, 43 characters, `_` and 64. */
export const joinTokenLengthMax = 200;
/** A certificate or a request for one of Ed25519 in PEM is 600 to 900 characters; an authority may have a few. */
export const certificateTextMax = 4000;
/** A problem that the platform answers a machine with. */
export const problemCodeMax = 100;
export const problemDetailMax = 1000;
/** Revisions, epochs, counters of packets and bytes: what a double counts exactly. */
export const revisionMax = Number.MAX_SAFE_INTEGER;
export const countMax = Number.MAX_SAFE_INTEGER;
/** Steps of the protocol (wire/capability.ts): more than will ever be. */
export const capabilityMax = 999_999;
/** Forms of the document on an agent's disk: the same. */
export const storedVersionMax = 999_999;
/** Addresses of one entry of a document: one of each family, and those of what the object holds. */
export const addressesPerEntryMax = 4096;
/** What leads to one peer: itself, its virtual IPs, its devices (a hub's own, of `userDevicesPerNetworkMax`). */
export const allowedIpsPerPeerMax = 65_536;
/** Interfaces that lead to one destination, and tunnels to one anycast address. */
export const waysPerDestinationMax = 1024;
/** Tunnels to one peer: its transit interface, and the two keys that its leaf interface may have. */
export const tunnelsPerPeerMax = 8;
export const witnessesPerLeaseMax = 256;
export const prefixesPerNetworkMax = 64;
/** Fits into `nodeFrameBytesMax`; a hub with 20,000 peers, as many rules and their groups has 100,000. */
export const entriesPerDocumentMax = 250_000;
/** A node offers `unusedKeysMax` keys, and each may be told of again. */
export const retiredKeysPerFrameMax = 1024;
/** The longest text of an IPv6 address with its length. */
export const prefixTextMax = 43;
