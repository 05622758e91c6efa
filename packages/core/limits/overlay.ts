// Limits of overlays: networks, peers, rules, virtual IPs, port mappings, devices, direct paths and audits.
// The reason for each number stands beside it.

/** An account's pool is a /48 of fd00::/8, so it holds 65,536 networks of /64. */
export const accountPoolLength = 48;
export const networkPrefixLength = 64;
/** Host numbers are drawn in order from a /64; the first 255 are kept for later services (gateways, anycast). */
export const hostNumberFirst = 0x100n;
/** A released address is not given to another peer for 7 days (contract §4). */
export const addressQuarantineMs = 7 * 24 * 3600 * 1000;
/** IPv6 needs 1280; WireGuard over IPv6 takes 80 off a path of 1500 bytes, hence 1420; jumbo paths end at 9000. */
export const overlayMtuMin = 1280;
export const overlayMtuDefault = 1420;
export const overlayMtuMax = 8920;
/** Spokes keep a transit interface to so many hubs; hubs beyond are met on the leaf interface. Each transit
 * interface costs a socket and, without the kernel's WireGuard, a process of about 10 MB. */
export const transitHubsMax = 4;
/** NAT mappings of UDP are kept for 30 s by the meanest routers; 25 is the field's number. */
export const keepaliveSeconds = 25;
/** First port tried for a peer that must be reachable; the field's default. */
export const listenPortFirst = 51820;
export const listenPortLast = 52819;
/** Handshakes repeat every 2 minutes on a live tunnel; after 5 without one the peer is silent (contract §4). */
export const silentAfterMs = 5 * 60 * 1000;
/** Networks of one account: its pool would allow 65,536; the picture in memory is sized for fewer. */
export const networksPerAccountMax = 4096;
export const peersPerNetworkMax = 20_000;
/** A tag in the name of a set in nft, which is cut to this: names hold 255 characters, two tags and 40 more. */
export const nftNamePartMax = 96;
/** Firewall rules of one network, and what one of them may name. Loading 10,000 takes a node 0.4 s. */
export const rulesPerNetworkMax = 20_000;
/** Counters of rules told at once: 5,000 are 400 kB. */
export const rulesPerFrameMax = 5_000;
export const virtualIpsPerNetworkMax = 4096;
export const virtualIpsPerNodeMax = 1024;
export const failoverHoldersMax = 16;
/** Peers that hubs watch for the platform: holders of virtual addresses, and those who could be. */
export const watchedPeersMax = 20_000;
/** Prefixes that one peer is in front of, and those of a network: each is a route on every node of the network. */
export const lanSubnetsPerPeerMax = 64;
export const subnetsPerNetworkMax = 4096;
/** A local preference of BGP has 32 bits (RFC 4271 §5.1.5). */
export const subnetPreferenceMax = 4_294_967_295;
export const subnetPreferenceDefault = 100;
export const portMappingsPerNetworkMax = 4096;
export const mappingSourceCidrsMax = 100;
/** New connections a second, and connections at once, of one mapping: more than a hub of any size forwards. */
export const mappingRateMax = 1_000_000;
export const mappingConnectionsMax = 1_000_000;
export const userDevicesPerNetworkMax = 10_000;
/** A bootstrap page is opened within minutes (contract §4), or is made anew; never later than a week. */
export const accessGrantSecondsDefault = 900;
export const accessGrantSecondsMax = 7 * 24 * 3600;
/** Grants that could still be used: more of them are not being handed to people. */
export const openAccessGrantsPerNetworkMax = 1000;
/** The secret part of a bootstrap URL has 47 characters; whatever is longer is not read. */
export const bootstrapTokenLengthMax = 100;
/** A revocation waits so long for the device's hub to say that it is done, then answers what is true by then. */
export const revocationWaitMs = 1000;
export const revocationPollMs = 5;
/** Objects named in one event that tells of many, and places named in one error. */
export const namedInEventMax = 100;
export const namedInErrorMax = 10;
/** Moves of a virtual address that are kept and shown (contract §4), and how many are stored. */
export const transitionsShown = 20;
export const transitionsKeptPerVirtualIp = 1000;
/** IPv4 prefixes are taken from the shared address space (RFC 6598): 256 networks of 16,382 addresses. Where a machine has
 * that space outside its overlays (a carrier's, or another VPN's), from private space (RFC 1918), the parts first that
 * are used least. */
export const ipv4Pools = ['100.64.0.0/10', '172.16.0.0/12', '10.0.0.0/8'] as const;
export const ipv4PrefixLength = 18;
/** Spokes behind NATs that meet each other without a hub, for each network: a tunnel and five probes a second for each
 * pair. The others stay on their hubs. */
export const directSpokesMax = 50;
/** A change of role that a person has refused is not asked for again on the same evidence for so long; one that nobody
 * answered, for a day. */
export const roleRefusedKeptMs = 30 * 24 * 60 * 60 * 1000;
export const roleUnansweredKeptMs = 24 * 60 * 60 * 1000;
/** A machine whose evidence comes and goes is asked about more and more seldom: after a proposal that was withdrawn so
 * long a pause, twice as long with each one more of the last day. That is eleven times on the first day, then eight. */
export const roleWithdrawnPauseMs = 60 * 1000;
export const roleWithdrawnKeptMs = 24 * 60 * 60 * 1000;
/** Handshakes of a peer that are compared with what the other end says of them: a spoke has no more hubs. */
export const claimsComparedMax = 5;
/** A model that gives a peer a new key again within so long asks a person: each is a break, and uses up a key. */
export const keyRotationQuietMs = 60_000;
/** Endpoints of one peer: two families, and a second provider. Each is tried in its turn, so more only delay. */
export const peerEndpointsMax = 4;
/** Ports of relays between hubs: so far above the hub's own port, times the number of the other hub. */
export const relayPortStep = 100;
/** What hubs see of a spoke's leaf interface is gathered so long, so that a symmetric NAT is not taken for a cone. */
export const directGatherMs = 600;
/** Each time that a spoke is said to be elsewhere, the pause before the next time doubles, up to this: whatever hubs
 * say, others are sent to no more than 16 endpoints of one spoke in an hour. Once it was stable for so long, it begins anew. */
export const directMovePauseMaxMs = 10 * 60 * 1000;
export const directStableMs = 60 * 60 * 1000;
/** Until all hubs have said where they see it, the word of some is not taken; after this it is. */
export const directWaitMs = 2_500;
/** An IPv4 prefix that was withdrawn from a machine is given back when it is seen without a conflict so long after. */
export const ipv4PrefixQuarantineMs = 10 * 60_000;
/** A slice of pods follows what its machine says of it no more often: each time, all members are told. */
export const podSliceRestMs = 60_000;
/** A machine that has FRR again is used so no sooner than so long after the last change of it; that it is without FRR is
 * followed at once, or its LANs could not be reached. So it costs one compile of its networks in a minute on average,
 * whatever it says, and two at most in this time. */
export const routingDaemonRestMs = 2 * 60_000;
/** Pairs of members that an audit looks at for one rule, before it takes a rule for one that may decide. */
export const auditPairsMax = 20_000;
/** Tags that share members with one, among which an audit looks for contradictions. */
export const auditNeighboursMax = 200;
/** Rules that an audit looks at for one rule, before it takes it for one that is needed. */
export const auditBetweenMax = 2_000;
/** Findings of one audit that are shown, the gravest first. */
export const auditFindingsMax = 2_000;
/** Nodes in a picture of who reaches whom: 40,000 verdicts, a tenth of a second of one processor. */
export const matrixNodesMax = 200;
/** Addresses of a group in the text of a rule: a page of them; beyond, they are counted. */
export const ruleMembersShownMax = 256;
/** Nodes that evaluate a rule and are named with it; beyond, they are counted. */
export const rulePeersShownMax = 200;
/** How long work on a whole network (an audit, a matrix) goes on before others get their turn. */
export const workSliceMs = 8;
/** Counters of rules are gathered so long: they move with every packet, and nobody waits for them. */
export const ruleCounterFlushMs = 2_000;
/** Counters that wait for the database: of so many rules and nodes, 20 MB. Later words replace earlier ones. */
export const ruleCountersWaitingMax = 200_000;
