// Limits of the agent: commands, rounds, audits, retries, its surroundings and the confirmation of changes.
// The reason for each number stands beside it.

/** One tool of the machine run by an agent: `wg` with 20,000 peers takes 0.2 s; more is a tool that hangs. */
export const agentCommandMs = 10_000;
/** What such a tool may print: a dump of 20,000 peers is 4 MB. */
export const agentOutputBytesMax = 32 * 1024 * 1024;
/** The bit of the connection mark of connections that rules no longer allow; one that no common tool uses. */
export const endedConnectionMark = 0x0800_0000;
/** Calls of the tool that marks connections at the same time: it reads the whole table each time. */
export const rematchCallsMax = 4;
/** Prefixes of a family on one side of the pairs whose connections are listed, each by a call of that tool: 8 LANs and
 * 8 remote prefixes are 128 calls of 3 ms. More prefixes are joined to wider ones; private space has 4 blocks. */
export const rematchCoversMax = 8;
/** Listings that are named when they are too long. */
export const rematchNamedMax = 2;
/** When they could not be marked it is tried again so much later: reading the table costs little, a busy one settles. */
export const rematchAgainMs = 5_000;
/** Each time it fails again the pause is twice as long, up to this. */
export const rematchAgainMaxMs = 300_000;
/** Peers written by one call of `wg`: 60 kB of arguments, far below what Linux takes (2 MB). */
export const agentPeersPerCallMax = 400;
/** After a change of so few peers their lines are sought in what `wg` prints; of more, everything is read anew. */
export const agentPeersSoughtMax = 50;
/** A userspace WireGuard opens its control socket 5 ms after its start; seconds on a starved machine. */
export const agentUserspaceStartMs = 10_000;
export const agentUserspacePollMs = 2;
/** Look, plan, apply, look again: so often in a row before it counts as failed and waits. */
export const agentApplyRoundsMax = 4;
/** After a failed apply: first delay and ceiling of the doubling. */
export const agentApplyRetryFirstMs = 500;
export const agentApplyRetryMaxMs = 30_000;
/** How often the machine is compared with its document, and seen tunnels with those reported. */
export const agentAuditMs = 5_000;
/** The same while a tunnel is being made, so that its first handshake is reported soon. */
export const agentAuditHandshakingMs = 1_000;
/** For so long after a tunnel was configured its first handshake is looked for often. */
export const agentFreshTunnelMs = 20_000;
/** An audit may cost at most this share of one processor; with very many peers it is repeated less often. */
export const agentAuditShareMax = 0.02;
/** How often an agent collects its garbage: 10 ms of one processor each time, for 10 to 30 MB. */
export const agentCollectMs = 60_000;
/** Something changed in the kernel: wait for its neighbours before looking, and then leave it alone so long. */
export const agentMonitorSettleMs = 50;
export const agentMonitorQuietMs = 1_000;
/** After a write of its own table, or a repair, the agent ignores notifications of deleted rules for so long: they are
 * its own. Another look follows after it, so that a deletion by somebody else within it is not missed. */
export const agentRulesetQuietMs = 200;
/** The monitor of rules is started again after so long; what else decides on the host is looked at so long after it changed. */
export const agentRulesetMonitorAgainMs = 2_000;
/** Counters of a tunnel move with every packet; telling them more often tells nobody anything. */
export const agentCountersMs = 30_000;
/** Observations in one frame: 5,000 are 1 MB, an eighth of what the platform accepts. */
export const agentTunnelsPerFrameMax = 5_000;
/** Drift and routes told at once (node-stream.ts); more drift than that is one drift. */
export const agentDriftPerFrameMax = 100;
export const agentRoutesPerFrameMax = 1_000;
/** WireGuard repeats a first handshake after 5 s. A new tunnel is started anew after these pauses instead: growing,
 * so that a path of any delay up to a second gets its chance; together about as long as WireGuard would wait. */
export const agentHandshakeRetryPausesMs = [250, 300, 450, 700, 1_100, 1_700] as const;
/** A tunnel in use shakes hands every 2 minutes, and its keys are dead after 3; some slack for a busy machine. */
export const agentHandshakeAliveMs = 195_000;
/** Received bytes are the sign of life between handshakes: two missed keepalives and some slack. */
export const agentReceivedAliveMs = 60_000;
/** WireGuard answers data within 10 s (keepalive) and a handshake at once. Sent so much (more than keepalives would
 * be) and heard nothing for so long: the path is dead. */
export const agentUnansweredMs = 20_000;
export const agentUnansweredBytes = 100;
/** A peer with several endpoints is called at each for so long before the next has its turn: three handshakes that
 * WireGuard begins every 5 s. After each round of all of them twice as long, up to the ceiling. */
export const endpointTryMs = 15_000;
export const endpointTryMaxMs = 120_000;
/** A direct path is tried so long at a time, which is three handshakes, after a first one that is begun in a hurry; so
 * many times, with a pause that doubles. Then no more: two spokes that can meet do so within seconds. */
export const directTryMs = 12_000;
export const directTriesMax = 5;
export const directTryPauseMs = 30_000;
/** What speaks for a new try of all direct paths is taken as that no more often. */
export const directRetryMs = 10 * 60 * 1000;
/** Of a table of routes so much is looked through for the default ones: 2,000 lines. */
export const agentRouteFileBytesMax = 256 * 1024;
/** Endpoints whose address was evaluated and is remembered: a full mesh has one for each peer. */
export const refusedKeptMax = 50_000;
/** A better path must have been alive so long before a route goes back to it. */
export const agentRouteHoldMs = 10_000;
/** A table of rules of so many parts (rules, elements of sets) is read as a whole whenever it is looked at: 15 ms. */
export const agentRulesetSmallMax = 500;
/** Of a larger one, what is in its sets is read only so often, unless packets were counted. Until then an element that
 * somebody took out stays out. */
export const agentRulesetLookMs = 60_000;
/** The same when packets were counted since, for the counters of rules. */
export const agentRuleCountersMs = 10_000;
/** Reading 10,000 elements takes 0.2 s; it may cost at most this share of one processor. */
export const agentRulesetLookShareMax = 0.01;
/** A key that no document names any more is kept so long, then its private half is deleted. */
export const agentRetiredKeyMs = 60_000;
/** Deltas are appended to a journal; it is folded into the document when it has outgrown it and this. */
export const agentJournalBytesMin = 64 * 1024;
/** What could not be stored because the disk is full is tried again after so long: a document of 6 MB is written then. */
export const agentStateRetryMs = 5_000;
/** What else decides on the host is looked at so often, and more seldom where listing it takes long. */
export const agentHostLookMs = 30_000;
/** Rules of the host that one packet is followed through; beyond, nothing is said. Kubernetes writes some 10,000. */
export const hostWalkStepsMax = 100_000;
/** Addresses of a machine told in its hello (node-stream.ts). */
export const agentAddressesMax = 200;
/** Facts of a machine's underlay in one list (wire/underlay.ts): a router of a company has some dozens of routes; 256 are
 * 25 kB. */
export const underlayFactsMax = 256;
/** Shorter routes than these lead to the world and not to a network: default routes, and the halves of one that VPN
 * clients add. */
export const underlayLengthMin = { 4: 8, 6: 16 } as const;
/** How often an agent looks at its underlay; a change of an address is looked at with the next audit. */
export const underlayLookMs = 30_000;
/** A lease file of a DHCP client, or a resolv.conf: a few kB each; and so many of them are read. */
export const underlayFileBytesMax = 64 * 1024;
export const underlayFilesMax = 32;
/** The file in which a cluster says which slice this node has: four lines. It is written anew when the cluster starts. */
export const podSliceFileBytesMax = 4096;
export const podSliceLookMs = 5_000;
/** Slices of one machine: a cluster of it has two, one a family. */
export const podSlicesPerNodeMax = 8;
/** So long an agent waits for its lock: one that was killed may have it until then. Seconds. */
export const agentLockWaitS = 1;
/** One request to the platform (enrolment, renewal, discovery), and what it may answer. */
export const agentRequestMs = 15_000;
export const agentResponseBytesMax = 256 * 1024;
/** How often the age of the certificate is looked at, and a failed renewal tried again. */
export const agentRenewalCheckMs = 10 * 60 * 1000;
/** A running agent asked to stop finishes what it applies (`agentCommandMs`) and lets go. */
export const agentStopMs = 20_000;
/** One question and answer on the agent's control socket: a status with 20,000 peers is 4 MB. */
export const agentControlBytesMax = 16 * 1024 * 1024;
/** Files of the state directory: the document of a hub with 20,000 peers is 6 MB, its journal no more. */
export const agentStateBytesMax = 64 * 1024 * 1024;
/** The platform or the agent's owner may name files (a token) by hand; nothing of that kind is larger. */
export const agentTokenFileBytesMax = 4096;
/** A change of a document is on trial for so long after it was applied: a loss that begins later is not its doing. A
 * route or an address that cuts a path does so with the next packet; neighbours and translations are kept for some
 * seconds more. */
export const confirmTrialMs = 20_000;
/** After so long without the platform, or without every hub, a change on trial is taken back. */
export const confirmLostMs = 20_000;
/** How often a node on trial looks whether it is still there, and asks the platform on its stream. */
export const confirmLookMs = 2_000;
/** After so long a silence of the platform the node finds out whether the path to it is still its own. */
export const confirmSilentMs = 5_000;
/** A connection to the platform that is tried for that: three tries of TCP (RFC 6298: 1 s, then 2 s). */
export const confirmConnectMs = 3_000;
/** An agent that starts with a change on trial has at least so long to reach its platform: ten tries. */
export const confirmStartMs = 8_000;
/** A path that comes back within so long after a change was taken back came back because of that. */
export const confirmBackMs = 15_000;
/** Changes on trial at once that are told apart; of more, the oldest count as one. */
export const confirmStepsMax = 32;
/** Parts of a change that are named when it was taken back. */
export const revertedNamedMax = 5;
/** A command at a vty socket of FRR: a summary takes 0.3 ms, a table of 10,000 prefixes 0.3 s; a daemon that computes
 * answers nobody meanwhile. */
export const frrCommandMs = 10_000;
/** What one command answers: of 20,000 prefixes with two paths, 14 MB. */
export const frrAnswerBytesMax = 32 * 1024 * 1024;
/** A line of configuration: the longest that is rendered, a list of communities, has some 1,000 characters. */
export const frrLineLengthMax = 4096;
/** Lines in one change: 1,000 clients of a reflector with ten lines each, and their exact lists of prefixes. */
export const frrLinesMax = 50_000;
/** Jobs that wait for one vty: those of the observer and one change. More: the daemon hangs. */
export const frrQueueMax = 32;
/** Of what FRR says of a refused line, or why a session ended, so much is kept: some lines. */
export const frrSaidMax = 500;
/** A path of a unix socket has so many bytes at most (unix(7)). */
export const socketPathBytesMax = 107;
/** A daemon of FRR answers 30 ms after its start; seconds on a starved machine. */
export const frrStartMs = 10_000;
export const frrPollMs = 10;
/** A daemon that is asked to end says goodbye to its neighbors; one that does not end within so long is killed. */
export const frrEndMs = 3_000;
/** Daemons that an earlier agent started are looked at so often; of its own children the agent is told. */
export const frrLookMs = 1_000;
/** A daemon that died is started again after so long; each time that it dies young, after twice as long. */
export const frrAgainFirstMs = 100;
export const frrAgainMaxMs = 30_000;
/** One that ran so long did not die young. */
export const frrSteadyMs = 60_000;
/** Changes of what FRR is configured with are gathered until there was none for so long, and not longer than that. */
export const frrApplyPauseMs = 100;
export const frrApplyPauseMaxMs = 1_000;
/** A daemon that cannot be configured now is tried again after so long, and whether there is an FRR is looked up anew. */
export const frrApplyAgainMs = 1_000;
export const frrMissingAgainMs = 30_000;
/** A network whose routes become static keeps its bgpd for so long, until all other peers know that they do. */
export const frrLingerMs = 15_000;
/** BGP decides when all sessions were up for so long without a change of a best path; or, as sessions that do not come
 * up cannot be waited for, so long after the daemon was there. */
export const bgpQuietMs = 1_000;
export const bgpChanceMs = 12_000;
/** How often that is looked at. */
export const bgpConvergingMs = 250;
/** Of a network that has just begun with BGP, a prefix without a path goes the static way for so long: its announcer may
 * be slower than this peer. */
export const bgpJoiningMs = 20_000;
/** A daemon counts the age of a session in seconds: times that differ by less than this are the same. */
export const bgpClockSlackMs = 2_500;
/** A daemon that died so often within so long does not run. */
export const frrDeathsMax = 3;
export const frrDeathsMs = 60_000;
/** Sessions are told so long after one has changed, with all that change meanwhile. */
export const bgpReportMs = 300;
/** Sessions of which the last reset is remembered: 1,000 clients of a reflector in several networks, 300 kB. */
export const sessionResetsRememberedMax = 4_000;
/** Files that a daemon of FRR may have open: it reserves memory for each, and a session is one. */
export const frrFilesMax = 16_384;
/** Zebra waits so long until it deletes routes that it takes for its own of an earlier life: years. */
export const frrSweepS = 2_000_000_000;
/** Sessions and tables are looked at so often; and while something moved within the last moments. */
export const frrObserveMs = 250;
export const frrObserveMovingMs = 100;
export const frrMovingMs = 2_000;
/** Why a session does not come up may change while its state does not. */
export const frrErrorsMs = 5_000;
/** Refusals of filters are looked at so often: an answer of 1,000 clients has 2,000 route-maps. */
export const refusalLookMs = 5_000;
/** Documents of two peers may differ for so long after a change; what is refused meanwhile is no fault. */
export const refusalSettleMs = 10_000;
/** A neighbor that was refused nothing for so long is asked whether it still announces it. */
export const refusalEndsMs = 60_000;
/** Route-maps of one daemon: two for each neighbor, and those of policies and of prefixes that it announces itself. */
export const frrRouteMapsMax = 50_000;
/** What is read of one daemon's answers: sessions, prefixes of a family, paths of a prefix, next hops of a path. */
export const frrSessionsMax = 20_000;
export const frrPrefixesMax = 50_000;
export const frrPathsMax = 1_000;
export const frrNextHopsMax = 256;
/** Members of an object that says one thing, such as a path: FRR 8.4 has 60 for a neighbor. */
export const frrMembersMax = 1_000;
/** Of addresses and prefixes in answers, and of an AS path. */
export const frrAddressLengthMax = 64;
export const frrAsPathLengthMax = 4_096;
