// Limits of routing: route policies, what they match and set, and how bgpd is configured.
// The reason for each number stands beside it.

/** Statements of one policy: each is an entry of a route-map, which bgpd walks for every path. */
export const statementsPerPolicyMax = 500;
/** A route-map has entries up to 65535; operators number them in steps. */
export const statementSeqMax = 65_535;
/** A regular expression of AS paths, and how much of it can repeat: more cannot be matched in predictable time. */
export const asPathTextMax = 120;
export const asPathRepeatsMax = 3;
/** Communities of one match or set, and their text: a path carries few, and 16 of `65534:65535` are 192 characters. */
export const communitiesMax = 16;
export const communityTextMax = 220;
/** The account's own AS number is prepended so often at most. A path crosses two reflectors, each of which evaluates
 * imports as the origin does exports: 9 in all, and bgpd accepts its own number in a path up to 10 times. */
export const ownPrependMax = 3;
/** AS numbers in a text of `prepend`: the longest has ten digits. */
export const prependedMax = 10;
export const prependTextMax = 110;
/** Own AS numbers that bgpd accepts in a path of a neighbor: its maximum. */
export const ownAsAccepted = 10;
/** Local preference and MED have 32 bits. */
export const metricMax = 4_294_967_295;
/** The local preference of a path that nothing sets, in bgpd as everywhere. */
export const localPreferenceDefault = 100;
/** Timers of sessions in seconds: BFD finds a dead path first, and these find a dead daemon. */
export const keepaliveSeconds = 3;
export const holdSeconds = 9;
export const connectSeconds = 1;
/** Seconds until bgpd evaluates anew after a route-map has changed: 5 by default, and 0 is never. */
export const routeMapDelaySeconds = 1;
/** BFD sends so often; three lost packets are a dead path, which is bfdd's default. */
export const bfdIntervalMs = 100;
/** bgpd loads a prefix-list in quadratic time (1,000 lines in 19 s), so long ones are divided: about so many lines, and
 * at most so many. */
export const prefixListLinesUsual = 32;
export const prefixListLinesMax = 64;
/** Sessions of one frame: a reflector with 1,000 clients says them at once. */
export const sessionsPerFrameMax = 1_000;
/** A table of the internet has a million prefixes; a session with more is counted as that. */
export const prefixesReceivedMax = 10_000_000;
/** Announcements that a filter has refused are counted up to here: a day of 10,000 in a second. */
export const refusedMax = 1_000_000_000;
/** A reason that FRR gives is a line. */
export const sessionErrorMax = 200;
/** Parts into which an audit divides a prefix to find out whether others cover it, before it takes it for not covered. */
export const auditPartsMax = 2_000;
/** Where speakers of BGP listen (RFC 4271). */
export const bgpPort = 179;
/** BFD control packets over one hop, echoes, and over several hops (RFC 5881, 5883). */
export const bfdPorts: readonly number[] = [3784, 3785, 4784];
/** With fewer peers than this there is one path to each prefix, so that BGP has nothing to choose from. */
export const meshPeersFew = 3;
/** Route policies of a network: all of one direction are one sequence, which bgpd walks for every path. */
export const policiesPerNetworkMax = 100;
/** A warning for each statement of a policy would hide what else an answer says. */
export const routingWarningsMax = 20;
/** Steps of a preview of a policy (policy-effect.ts): about 0.2 s, so that nobody keeps the platform busy by asking. 100
 * statements, 1,000 prefixes and 50 peers are fewer. */
export const previewStepsMax = 500_000;
/** Changes of routes that a preview tells: more are no easier to read than the routes themselves. */
export const previewChangesMax = 100;
/** Events of sessions that one instance may cause in a minute: a reflector with many clients loses all at once, when it
 * is cut off, and gets them back. More are counted in the next one. */
export const sessionEventsPerMinuteMax = 200;
/** For so long a change of the AS number counts as what sessions are down for: they are established within seconds. */
export const asNumberChangeMs = 120_000;
/** Names of skills have half of it. */
export const skillNameMax = 100;
