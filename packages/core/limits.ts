// Every limit of the product by name, with the reason for its number. Nothing else may bound a loop,
// a queue, a payload, a list or a retry with a bare number.

/** Largest body of an operator's request: the largest list of the contract is far below it. */
export const requestBytesMax = 1024 * 1024;
/** A page of a list (contract §1). */
export const pageSizeMax = 500;
export const pageSizeDefault = 50;
/** Names are shown in tables and used in messages; longer ones break both. */
export const nameLengthMax = 100;
export const descriptionLengthMax = 1000;
/** As long as a label of DNS, so that names of machines can be tags. */
export const tagLengthMax = 63;
export const tagsPerObjectMax = 32;

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

/** Join tokens live an hour unless asked otherwise (contract §3), and never longer than a week. */
export const joinTokenSecondsDefault = 3600;
export const joinTokenSecondsMax = 7 * 24 * 3600;
/** Machines of one account that were asked for and have not joined; a larger fleet is rolled out in parts. */
export const pendingInstancesMax = 1000;
/** API tokens may live for ever (null) or so long. */
export const apiTokenSecondsMax = 10 * 365 * 24 * 3600;
/** A node's certificate (contract §8), and where in its life it is renewed. */
export const nodeCertificateDaysMax = 90;
export const renewAtFraction = 2 / 3;
/** The authority's own certificate: nodes and join tokens pin it, so it outlives the machines that know it. */
export const authorityDays = 20 * 365;
/** Certificates of the platform's own listeners; made anew at every start and at `renewAtFraction`. */
export const serverCertificateDays = 90;
/** A failed renewal of a listener's own certificate is tried again after this; a month is left by then. */
export const serverRenewalRetryMs = 60 * 1000;
/** Timers of the runtime hold 31 bits of milliseconds (24.8 days) and fire at once when given more. */
export const timerMsMax = 2 ** 31 - 1;
/** Certificates begin so long before they are made: clocks of machines that just booted are often behind. */
export const certificateBackdateMs = 3600 * 1000;

/** Unused public keys that a node keeps published: two an attach, and attaches come in small bursts. */
export const unusedKeysTarget = 16;
/** More than the target, so that a burst of top-ups is not refused; less than would let a node fill a table. */
export const unusedKeysMax = 64;

/** A frame on a node's stream: the document of a hub with 20,000 peers is about 6 MB. */
export const nodeFrameBytesMax = 32 * 1024 * 1024;
/** What a node may send in one frame: 20,000 observations are about 4 MB. */
export const nodeUplinkFrameBytesMax = 8 * 1024 * 1024;
/** Bytes waiting in one node's socket before further deltas are merged instead of queued. */
export const nodeBacklogBytesMax = 1024 * 1024;
/** Longer frames to nodes go out in fragments of one TLS record each. Measured: 90 kB of memory for a node that got
 * a document of 370 kB so, and 450 kB for one that got it in one write. */
export const nodeFragmentBytes = 16 * 1024;
/** Buffers of fragments kept for the next ones: 32 kB each, one for each long frame under way. */
export const spareBuffersMax = 128;
/** Entries of whole documents on their way to nodes at once: enough to keep the processors busy, and about 1 MB of
 * references to entries that are shared. A node that does not read holds its place only so long. */
export const documentEntriesMax = 100_000;
export const documentHoldMs = 2000;
/** Silence on a stream after which either side asks, and then gives up. Two missed beats are a lost stream. */
export const streamPingMs = 10_000;
export const streamDeadMs = 25_000;
/** Reconnecting: first delay and ceiling of the doubling, jittered by half. */
export const reconnectFirstMs = 200;
export const reconnectMaxMs = 10_000;
/** Newest changes of an account that a start of the platform runs through again, so that a node that was away gets
 * only what it missed. A thousand take about 50 ms among 1,000 peers. */
export const changesKeptPerAccount = 1000;
/** What is kept per node to bring it up from an older document. A patch that many nodes share weighs 1, one of its
 * own 1 and 8 for each entry (about 1 kB each), so a node costs 8 kB at most for the first and 60 kB for the second. */
export const nodeHistoryWeightMax = 512;
export const ownEntryWeight = 8;
/** Rows of changes read at once when a gap is closed. */
export const changesReadMax = 500;
/** A change that is missing usually arrives by itself within so long: transactions are told of out of order. */
export const gapGraceMs = 10;
/** How often the numbers of changes in the database are compared with what was delivered. */
export const catchUpMs = 3000;

/** A connection to the node listener must have shown its certificate, and then sent its request, within so long. */
export const nodeHandshakeMs = 10_000;
export const nodeRequestMs = 15_000;
/** Enrolment and renewal carry one certificate request of 4 kB and little else. */
export const nodeRequestBytesMax = 16 * 1024;
/** Connections to the node listener of one process; a node keeps one. Far above what a process is sized for. */
export const nodeConnectionsMax = 20_000;
/** A new stream must say hello within so long. */
export const helloMs = 10_000;
/** Whole documents that a node may ask for in a minute because hashes differ; beyond, the two sides need an update. */
export const resyncsPerMinuteMax = 6;
/** A stream that was told to end is cut off after this: its node may have stopped reading. */
export const streamCloseMs = 5000;
/** A machine that is terminated is sent its last document; when that takes longer, its stream ends without. */
export const lastWordsMs = 1000;
/** Streams are looked after in so many groups, one after the other, so that pings never go out all at once. */
export const streamGroups = 10;

/** What nodes report is written in batches: nothing waits longer than this, but counters and heartbeats. */
export const reportFlushMs = 500;
/** What could not be written because the database was away is tried again after this. */
export const reportRetryMs = 1000;
/** Byte counters of tunnels and times of heartbeats change all the time and matter little after a restart. */
export const counterFlushMs = 10_000;
export const heartbeatFlushMs = 30_000;
/** What newcomers say in hello is gathered so long: a thousand that come back at once are a few statements. */
export const arrivalGatherMs = 20;
/** A handshake that is no older than this when it is reported is written at once; WireGuard repeats them every 2 min. */
export const freshHandshakeMs = 30_000;
/** Rows written by one statement; a row is about 200 bytes, and a statement of 2,000 takes some 20 ms. */
export const reportRowsMax = 2000;
/** Tunnels whose last report is not written yet. Beyond, a node's reports wait for its next ones. */
export const tunnelReportsMax = 200_000;
/** How often it is looked whether a peer has become silent. */
export const silenceSweepMs = 5000;
/** After a start nodes are given so long to say what they see before anything is called silent. */
export const silenceGraceMs = 60_000;
/** Events that one node may cause in a minute (drift); more are counted in the next one. */
export const nodeEventsPerMinuteMax = 20;
/** Reports of where nodes are that are worked on at once; each may be a transaction. */
export const observedWorkMax = 4;
/** Subsystems remembered per node; an agent has fewer than ten. */
export const subsystemsMax = 50;

/** How often approvals are looked through for those that nobody answered. */
export const approvalSweepMs = 15_000;
/** Buckets of the rate limit kept in memory. */
export const rateLimitedTokensMax = 100_000;
/** An approval that nobody answers is rejected after 4 h (contract §7). */
export const approvalExpiryMs = 4 * 3600 * 1000;
/** A repeated POST with the same Idempotency-Key is recognised for a day. */
export const idempotencyKeyMs = 24 * 3600 * 1000;
export const idempotencyKeyLengthMax = 200;
/** Nodes named in a plan; the count of all of them is given beside. */
export const planNodesMax = 100;
export const planChangesPerNodeMax = 50;

/** Failed authentications per source address and minute before it is answered 429. */
export const authFailuresPerMinuteMax = 30;
/** Source addresses whose failures are remembered; the oldest is forgotten first. About 100 bytes each. */
export const guessSourcesMax = 10_000;
/** Sources whose failures are counted in one minute; more than a flood needs to be noticed. */
export const rememberedSourcesMax = 100_000;
/** How often a token's last use is written: reads would become writes otherwise. */
export const tokenUseWriteMs = 60_000;
/** Requests per token and second, sustained and in a burst; far above what a console or a script needs. */
export const requestsPerSecondMax = 500;
export const requestBurstMax = 2000;
/** Live event streams held open per operator, and events that one reads at a time. */
export const eventStreamsPerOperatorMax = 16;
export const eventStreamBatchMax = 500;
/** Eight values each; a statement takes 65,535. */
export const eventRowsPerInsertMax = 1000;
/** Nodes in one answer of the topology: each carries its interfaces, routes and tunnels. */
export const topologyNodesMax = 2000;
/** Operators, tokens and tags of an account: small tables that are listed whole in the console. */
export const operatorsPerAccountMax = 10_000;

/** A lab's file is written by hand; the largest (`labNodesMax` nodes) is about 40 kB. */
export const labFileBytesMax = 256 * 1024;
/** Names of labs and their nodes: they are parts of the path of a unix socket, which ends at 107 characters. */
export const labNameLengthMax = 20;
/** Nodes of a lab and of each of its segments: one number each in a /24, less the gateway and some room. */
export const labNodesMax = 200;
/** Platforms take the first numbers of the public segment, so that their addresses are easy to remember. */
export const labPlatformsMax = 9;
/** Public /24s that a lab may choose among when its usual one is taken on this machine (198.18.0.0/15). */
export const labPublicPrefixesMax = 512;
/** Waiting in a lab. First start of a platform sets up its database: seconds; minutes on a starved machine. */
export const labPlatformReadyMs = 180_000;
/** From agents started to every peer connected: seconds with 5 hosts, more with `labNodesMax` on 2 cores. */
export const labConnectedMs = 180_000;
/** A host of a lab boots in 50 ms, a command in it (join) takes a second; more only when the machine is starved. */
export const labStepMs = 60_000;
/** A platform told to end closes its database first; after this it is killed. */
export const labPlatformStopMs = 15_000;
/** How often a lab looks whether what it waits for has come. */
export const labPollMs = 50;
/** Hosts booted or joined at once: more only take turns on the same cores. */
export const labParallelMax = 8;
/** Lines of a log shown with a failure: enough for a stack trace. */
export const labLogTailLines = 25;
/** One answer of a command that the lab itself runs (`ip -j`, `nft -j`), and of a platform. */
export const labOutputBytesMax = 16 * 1024 * 1024;
/** Default distance of continuous pings; the loss that the product promises is counted at this pace. */
export const labPingIntervalMs = 10;

/** Sessions of one platform process: on a few processors, more of them only queue inside PostgreSQL. */
export const databaseSessionsMax = 10;
/** Getting a session, from the pool or from the server, before the caller is told that there is no database. */
export const databaseConnectMs = 10_000;
/** The longest statement of the product takes well under a second at the largest size that is allowed. */
export const databaseStatementMs = 30_000;
/** A transaction that waits so long for its own program is a leak, and holds back every vacuum. */
export const databaseIdleInTransactionMs = 60_000;
/** Transactions are short, so that a conflict repeated so often is not one that another try resolves. */
export const transactionAttemptsMax = 6;
/** A migration may rewrite a large table; a process that starts beside it waits so long before it gives up. */
export const migrationWaitMs = 10 * 60 * 1000;
/** Recovery after a crash replays at most what `max_wal_size` lets pile up: seconds, even on a slow disk. */
export const embeddedStartMs = 120_000;
/** A fast shutdown writes one checkpoint of at most 64 MB. After that it is cut off; the next start recovers from the
 * log. Needed, not only for slow disks: PostgreSQL 18 that is told to end while it recovers from a crash never does. */
export const embeddedStopMs = 10_000;
/** A second signal to end within this is the first one, passed on by a shell, npm or the launcher. */
export const sameSignalMs = 1_000;
/** The same for a server whose platform is gone and whose next one waits: recovering costs less than waiting longer. */
export const embeddedOrphanMs = 2_000;
/** An earlier server's shell removes the folder of its socket once, so that making it again is enough. */
export const socketDirAttemptsMax = 5;
/** Until what an earlier platform left behind has ended, or the one that is starting has shown itself. */
export const embeddedHandoverMs = 40_000;
/** So long a directory is seen to be held before a platform is refused: one that was killed may hold it until then. */
export const embeddedHeldMs = 1_000;
/** A new server on the same directory is asked after so often whether it answers; a try costs 1 ms. */
export const embeddedPollMs = 15;
/** Starts in a row that fail, and the pauses between them: about a minute until the platform gives up on it. */
export const embeddedRestartsMax = 36;
export const embeddedRestartFirstMs = 50;
export const embeddedRestartMaxMs = 2_000;
/** What a server said before it ended is in the error: enough for a cause and its hint. */
export const embeddedLogLinesKept = 30;
export const embeddedLastWordsMs = 1_000;

/** Rows of a console's table that are all drawn; longer tables draw what is in view. Fits a few screens. */
export const consoleRowsDrawnMax = 60;
/** Events that a console keeps while it is open: a day of a busy fleet, about 5 MB. */
export const consoleEventsKeptMax = 5000;
/** Machines drawn one by one in the picture of a network; beyond, spokes are shown in groups by their hub. */
export const consolePictureNodesMax = 300;
/** Tunnels drawn at once: more of them are a grey cloud. Those of hubs and of the chosen machine come first. */
export const consolePictureTunnelsMax = 900;
/** Events come in bursts; what they concern is read again once for so long a burst. */
export const consoleRefreshMs = 150;
/** The same for lists of several pages, whose rows are patched in place meanwhile. */
export const consoleLongListRefreshMs = 5_000;
/** How often a console reads again what no event announces (traffic, ages): while something is under way, at rest,
 * and for lists of several pages. */
export const consolePollBusyMs = 1_000;
export const consolePollIdleMs = 5_000;
export const consolePollLongMs = 30_000;
/** A stream of events that says nothing for so long is checked with a request of its own, which may take so long. */
export const consoleStreamQuietMs = 15_000;
export const consoleProbeMs = 5_000;
/** One event on the stream: a plan of `planNodesMax` nodes with its before and after is far below. */
export const consoleEventBytesMax = 4 * 1024 * 1024;
/** What a console keeps of a filter's choice list or a plan before it says how many more there are. */
export const consoleChoicesMax = 100;

/** Clients show a model the first 40 tools and drop the rest. */
export const toolsDefaultMax = 40;
/** A question put to a person over MCP: people answer within minutes; later the approvals list is the place. */
export const confirmationSeconds = 600;
/** Streams that MCP clients hold open to hear of changed lists, which do not change while a process runs. */
export const mcpSubscriptionsMax = 256;
/** How long a client may keep the list of tools: it changes only with the version of the platform. */
export const toolsListKeptMs = 5 * 60 * 1000;

/** One tool of the machine run by an agent: `wg` with 20,000 peers takes 0.2 s; more is a tool that hangs. */
export const agentCommandMs = 10_000;
/** What such a tool may print: a dump of 20,000 peers is 4 MB. */
export const agentOutputBytesMax = 32 * 1024 * 1024;
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
/** Counters of a tunnel move with every packet; telling them more often tells nobody anything. */
export const agentCountersMs = 30_000;
/** Observations in one frame: 5,000 are 1 MB, an eighth of what the platform accepts. */
export const agentTunnelsPerFrameMax = 5_000;
/** Drift and routes told at once (node-stream.ts); more drift than that is one drift. */
export const agentDriftPerFrameMax = 100;
export const agentRoutesPerFrameMax = 1_000;
/** WireGuard repeats a first handshake after 5 s. A new tunnel is started anew after these pauses instead: growing,
 * so that a path of any delay up to a second gets its chance; together about as long as WireGuard would wait. */
export const agentKickPausesMs = [250, 300, 450, 700, 1_100, 1_700] as const;
/** A tunnel in use shakes hands every 2 minutes, and its keys are dead after 3; some slack for a busy machine. */
export const agentHandshakeAliveMs = 195_000;
/** Received bytes are the sign of life between handshakes: two missed keepalives and some slack. */
export const agentReceivedAliveMs = 60_000;
/** WireGuard answers data within 10 s (keepalive) and a handshake at once. Sent so much (more than keepalives would
 * be) and heard nothing for so long: the path is dead. */
export const agentUnansweredMs = 20_000;
export const agentUnansweredBytes = 100;
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
/** Addresses of a machine told in its hello (node-stream.ts). */
export const agentAddressesMax = 200;
/** So long an agent waits for the seat: one that was killed may have it until then. Seconds. */
export const agentSeatWaitS = 1;
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
/** The command line: one answer. A page of 500 peers is 500 kB; a topology of the largest network some MB. */
export const cliAnswerBytesMax = 64 * 1024 * 1024;
/** How long the command line waits for an answer: more than the longest statement of the database. */
export const cliAnswerMs = 60_000;

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
export const portMappingsPerNetworkMax = 4096;
export const mappingSourceCidrsMax = 100;
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

/** IPv4 legs are taken from the shared address space (RFC 6598): 256 networks of 16,382 addresses. */
export const ipv4Pool = '100.64.0.0/10';
export const ipv4PrefixLength = 18;

/** How often a path is probed, and how long without an answer until it is dead: three probes in a row and some slack.
 * Half of a second, so that with routes and addresses moved a second is not exceeded. */
export const probeIntervalMs = 120;
export const probeDeadMs = 450;
/** A path that was dead has to answer so long without a break before anything goes back to it; each time it dies again
 * within `probeFlapMs` doubles it, up to the ceiling. */
export const probeHoldMs = 5_000;
export const probeHoldMaxMs = 120_000;
export const probeFlapMs = 600_000;
/** Direct paths between spokes are probed less often: there are many of them, and a hub stands behind each. */
export const directProbeIntervalMs = 200;
export const directProbeDeadMs = 700;
/** A prober that was not run for so long judges nothing by what it did not hear meanwhile. */
export const probeStarvedMs = 150;
/** The prober's turn: a third of the interval, so that a silence is noticed soon after it has been long enough. */
export const probeTickMs = 40;
/** Probes that a hub answers in a second before it asks for fewer: a third of one processor. 600 spokes of 2 hubs stay
 * below it; with more of them a dead hub is noticed later, and never slower than this. */
export const probesPerSecondMax = 10_000;
export const probePaceMaxMs = 2_000;
/** Of an address that sent probes once and does not any more, nothing is remembered after this; and of so many. */
export const probeSourceKeptMs = 600_000;
export const probeSourcesMax = 25_000;
/** Hops of a probe and of its answer: one to the hub, one more to whom it forwards. Strays get no further. */
export const probeHops = 2;
/** An address to answer at, or to send from, that the machine does not have yet is tried again after this. */
export const probeBindAgainMs = 100;
/** A prober that ended is started again after this. */
export const proberRestartMs = 1_000;
/** A prober that is asked how its paths are answers within milliseconds. */
export const proberAnswerMs = 1_000;
/** UDP port of the overlay on which agents answer probes. In no registry of services. */
export const probePort = 21_212;
/** A lease of a virtual address: shorter than the time in which a hub takes its holder for dead, by construction. */
export const addressLeaseMs = 450;
/** The kernel is told a lease so much shorter: it counts in steps of 4 ms, and is told some ms later. */
export const addressLeaseSlackMs = 15;
/** `nft` takes 0.3 to 2 ms to renew leases; one that hangs is ended, and after as long again another is told. */
export const heldCommandMs = 100;
/** The platform takes a lease for over only so long after the last word that it could rest on: clocks that differ by
 * 1 % (9 ms from one machine to another), and the kernel's own steps. */
export const addressLeaseMarginMs = 40;
/** Hubs that are asked to stand by their word on a holder answer in one round trip; without, they are asked again. */
export const holderProofMs = 250;
/** A holder that was given up for dead has to be heard so long before the request to replace it is withdrawn. */
export const holderWellMs = 5_000;
/** A terminated machine that nobody can vouch for gives up its addresses by the operator's word, after this. */
export const terminatedHolderMs = 10_000;
/** Shortest time between two moves of a virtual address that nobody asked for, unless it is told another one. */
export const holdDownSecondsDefault = 10;
/** Virtual addresses are compared with their rows now and then: the word of a change may have been lost on its way. */
export const virtualIpSweepMs = 5_000;
/** A move that the database refused or did not answer is tried again after this. */
export const virtualIpRetryMs = 200;
/** A change waits so long for what was committed before it to be taken into memory: other processes commit too. */
export const commitsWaitMs = 500;
/** Of several processes one leads. It says so every second, stops when it could not for two, and is replaced after
 * three: a clock that is 1 % off, and a slow statement, do not make two of them. */
export const leaderBeatMs = 1_000;
export const leaderStaleMs = 2_000;
export const leaderExpiryMs = 3_000;
/** Questions to one node that wait for its answer; each is asked again after `holderProofMs`. */
export const streamQuestionsMax = 256;
/** What nodes say to one process is told to the others at once, and as a whole this often; after three times as much
 * silence it counts for nothing. */
export const hearsayBeatMs = 1_000;
export const hearsayExpiryMs = 3_000;
/** Spokes behind NATs that meet each other without a hub, for each network: a tunnel and five probes a second for each
 * pair. The others stay on their hubs. */
export const directSpokesMax = 50;
/** Ports of relays between hubs: so far above the hub's own port, times the number of the other hub. */
export const relayPortStep = 100;
/** What hubs see of a spoke's leaf interface is gathered so long, so that a symmetric NAT is not taken for a cone. */
export const directGatherMs = 600;
/** Until all hubs have said where they see it, the word of some is not taken; after this it is. */
export const directWaitMs = 2_500;
/** Pairs of members that an audit looks at for one rule, before it takes a rule for one that may decide. */
export const auditPairsMax = 20_000;
/** Tags that share members with one, among which an audit looks for contradictions. */
export const auditNeighboursMax = 200;
/** Findings of one audit that are shown, the gravest first. */
export const auditFindingsMax = 2_000;
/** Nodes in a picture of who reaches whom: 40,000 verdicts, a tenth of a second of one processor. */
export const matrixNodesMax = 200;
/** Addresses of a group in the text of a rule: a page of them; beyond, they are counted. */
export const ruleMembersShownMax = 256;
/** Nodes that judge a rule and are named with it; beyond, they are counted. */
export const judgesShownMax = 200;
/** How long work on a whole network (an audit, a matrix) goes on before others get their turn. */
export const workSliceMs = 8;
/** Counters of rules are gathered so long: they move with every packet, and nobody waits for them. */
export const ruleCounterFlushMs = 2_000;
/** Counters that wait for the database: of so many rules and nodes, 20 MB. Later words replace earlier ones. */
export const ruleCountersWaitingMax = 200_000;
