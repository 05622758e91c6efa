// Every limit of the product by name, with the reason for its number. Nothing else may bound a loop,
// a queue, a payload, a list or a retry with a bare number.

/** Largest body of an operator's request: the largest list of the contract is far below it. */
export const requestBytesMax = 1024 * 1024;
/** Levels of lists and objects in a request: the deepest parameter has 5. */
export const requestDepthMax = 32;
/** Characters of a path and its query: the longest route with every parameter of a list has some 1,500. */
export const requestTargetLengthMax = 8000;
/** Operators' connections of one process, and of one address that is not this machine: a console keeps 7. */
export const operatorConnectionsMax = 4000;
export const operatorConnectionsPerSourceMax = 400;
/** A request's headers, and all of it, have to arrive within so long; a stream's answer may last. */
export const operatorHeadersMs = 10_000;
export const operatorRequestMs = 30_000;
/** Browsers keep to HTTPS for so long after they saw it (RFC 6797): a year, as is usual. */
export const strictTransportSeconds = 365 * 24 * 60 * 60;
/** A page of a list (contract §1). */
export const pageSizeMax = 500;
export const pageSizeDefault = 50;
/** A page whose rows are long ends before its size: browsers and models read it whole. Rows are 1 kB to 60 kB. */
export const pageBytesMax = 4 * 1024 * 1024;
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
/** Tokens made one with the other: all of them are read at each sign-in, and no organisation hands on so far. */
export const tokenLineMax = 32;
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
export const witnessesPerLeaseMax = 256;
export const prefixesPerNetworkMax = 64;
/** Fits into `nodeFrameBytesMax`; a hub with 20,000 peers, as many rules and their groups has 100,000. */
export const entriesPerDocumentMax = 250_000;
/** A node offers `unusedKeysMax` keys, and each may be told of again. */
export const spentKeysPerFrameMax = 1024;

/** A frame on a node's stream: the document of a hub with 20,000 peers is about 6 MB. */
export const nodeFrameBytesMax = 32 * 1024 * 1024;
/** What a node may send in one frame: 5,000 observations, routes, counters of rules and drift, all at their longest,
 * are 2.6 MB. Reading one of that size takes 90 MB for a moment at worst (brackets that hold nothing). */
export const nodeUplinkFrameBytesMax = 3 * 1024 * 1024;
/** Lists and objects in each other, both ways: the deepest field of a document is the sixth. */
export const nodeFrameDepthMax = 12;
/** Fragments of a message: agents send none; each costs a buffer until the message is whole. */
export const nodeFragmentsMax = 64;
/** What the streams of one machine may cost a process of the platform, at once and in the long run. Bytes: a hub with
 * 20,000 peers says 4.6 MB at each hello, and 150 kB a second of their counters. Frames: one for each change that
 * reaches a node when changes come as fast as they can be written. Processor time in ms: a tenth of one processor;
 * such a hub takes 0.3 s for a hello. */
export const streamBytes = { burst: 16 * 1024 * 1024, perSecond: 512 * 1024 } as const;
export const streamFrames = { burst: 5_000, perSecond: 500 } as const;
export const streamWorkMs = { burst: 5_000, perSecond: 100 } as const;
/** A machine that was over it stays away so long, twice as long each time, until it was within it for this. */
export const streamPauseFirstMs = 5_000;
export const streamPauseMaxMs = 5 * 60 * 1000;
export const streamCalmMs = 10 * 60 * 1000;
/** Streams and requests of one certificate: a machine on a bad line comes back every few seconds. */
export const certificateUses = { burst: 30, perSecond: 0.5 } as const;
/** Two streams ask for one machine: the present one answers a question within so long, or is taken for dead. A machine
 * that is starved answers later than one that is well, and one that lost power is back after more than this anyway. */
export const streamProofMs = 5_000;
/** So often in a minute the program of a machine takes over from itself (its line was lost); more are two machines. */
export const streamTakeoversPerMinuteMax = 3;
/** A machine that was refused because another one has its identity asks again after this: the other may be gone. */
export const duplicateRetryMs = 60_000;
/** Of a second machine with the same identity nothing was heard for so long: the first is alone again. */
export const duplicateQuietMs = 10 * 60 * 1000;
/** Certificates whose uses are counted: as many as there may be connections. 150 bytes each. */
export const certificatesCountedMax = 20_000;
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
/** A node says on its stream that it runs, this often. One such frame costs the platform 30 µs of a processor (measured
 * with 1,000 nodes). With more streams in a process than `streamsAtFullBeatMax` they say it less often, so that all of
 * them together cost a quarter of one at most, down to this. */
export const streamBeatMs = 600;
export const streamBeatMaxMs = 1_200;
/** A pace of beats that differs by less than this factor is not worth a frame. */
export const streamBeatStep = 1.1;
export const streamsAtFullBeatMax = 5_000;
/** Nothing at all from a node for so long: two beats and some slack, or a slow beat and this. With a turn of the watch it
 * is shown within 2 s. */
export const nodeSilentMs = 1_450;
export const nodeSilentSlackMs = 550;
/** How often the platform looks who has fallen silent, and a look that is late by more was starved of processor. */
export const presenceTickMs = 100;
export const presenceStarvedMs = 150;
/** With so many streams, silence on all of them is more likely the platform's own line: it has to last twice as long. */
export const presenceDoubtStreamsMin = 4;
/** After a start, or the end of another process, nodes have so long to come back before they count as gone: the
 * longest pause between two of their tries, and a handshake. */
export const presenceGraceMs = 15_000;
/** Another process may hear them without this one knowing (no bus): its events wait for the next heartbeats' rows. */
export const presenceForeignMs = 45_000;
/** A machine or peer must be away, or back, for so long until an event says so; doubled with each change beyond the
 * second within `presenceFlapMs`, up to the ceiling. */
export const presenceConfirmMs = 300;
export const presenceFlapMs = 600_000;
export const presenceConfirmMaxMs = 120_000;
/** So long the two ends of a tunnel may say different things: what both notice is told within two seconds. */
export const presenceContradictionMs = 3_000;
/** Events of one kind in an account that tell of one object each, in so long; beyond, one event tells of many. */
export const presenceEventsMax = 20;
export const presenceEventsMs = 10_000;
/** Objects whose event is one of many are gathered so long. */
export const presenceGatherMs = 1_000;
/** A tunnel to a hub that never answered is silent after this; a first handshake may take some tries. */
export const probeUntriedMs = 4_000;
/** What probes say in one frame: 5,000 sources are 400 kB. More come in several. */
export const probedPerFrameMax = 5_000;
/** Tunnels to hubs: `transitHubsMax` for each network that a machine is in. */
export const probedPathsMax = 1_000;
/** Longer silences say nothing more: 400 days. */
export const probedForMsMax = 400 * 24 * 3600 * 1000;
/** What processes tell each other of presence in one message: about 1 MB. */
export const presenceGossipMax = 5_000;
/** Series of one metric that has one for each object: 5,000 are 1 MB of text at each scrape. */
export const metricSeriesMax = 5_000;
/** What a scrape needs of the database is read at most this often. */
export const metricRowsMs = 5_000;
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
/** Enrolments under way at once: each has one of the `databaseSessionsMax`, and streams need the others. */
export const enrolmentsAtOnceMax = 4;
/** Those that wait for their turn, at a few milliseconds each: over within seconds. */
export const enrolmentsWaitingMax = 512;
/** When a machine that found no place may try again; and so long it goes on trying. */
export const enrolmentRetrySeconds = 3;
export const joinBusyMs = 5 * 60_000;
/** Connections to the node listener of one process; a node keeps one. Far above what a process is sized for. */
export const nodeConnectionsMax = 20_000;
/** Of them, those without a stream: in handshakes, or with a request. Each is over in moments, so of more the oldest is
 * closed; ten thousand machines that come back at once have a few thousand under way. */
export const nodePlainConnectionsMax = 8_192;
/** A new stream must say hello within so long, whatever else comes on it. */
export const helloMs = 10_000;
/** Streams of one machine that have not said hello yet: its new one, and the one before that the line has lost. */
export const streamsBeforeHelloMax = 2;
/** Whole documents that a node may ask for in a minute because hashes differ; beyond, the two sides need an update. */
export const resyncsPerMinuteMax = 6;
/** A stream that was told to end is cut off after this: its node may have stopped reading. */
export const streamCloseMs = 5000;
/** A machine that is terminated is sent its last document; when that takes longer, its stream ends without: within a
 * second, with `rightsLookMs` before it. */
export const lastDocumentMs = 500;
/** A platform that closes gives its streams so long to end. */
export const lastWordsMs = 1000;
/** Clocks of a platform's processes and of its database differ by less; what is dated is looked for so far back. */
export const clockSkewMs = 5 * 60 * 1000;
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
/** What of one report of drift stands in its event, and how much of events of drift one node may put on the disk: a few
 * times what is mended when all rules of a machine were flushed, and 6 MB a day; beyond, the number alone is told. */
export const driftPerEventMax = 20;
export const driftBytes = { burst: 256 * 1024, perSecond: 72 } as const;
/** Reports of where nodes are that are worked on at once; each may be a transaction. */
export const observedWorkMax = 4;
/** Problems that a node may have at once, and the text of one: a screen of lines, each a sentence with its cause. */
export const nodeProblemsMax = 64;
export const nodeProblemCodeMax = 60;
export const nodeProblemDetailMax = 500;
/** A node gathers changes of its problems so long before it says them, and leaves so much between two reports. */
export const agentProblemsSettleMs = 300;
export const agentProblemsPauseMs = 2_000;
/** Subsystems remembered per node, and what each may say; an agent has fewer than ten. With them an instance is at
 * most 16 kB, and the longest page of instances 8 MB. */
export const subsystemsMax = 20;
export const subsystemNameMax = 50;
export const subsystemMessageMax = 500;
/** Why a document could not be applied: the first causes of it. */
export const failureMessageMax = 2000;
/** One thing that was mended, for people. */
export const driftDetailMax = 1000;

/** How often approvals are looked through for those that nobody answered. */
export const approvalSweepMs = 15_000;
/** Buckets of the rate limit kept in memory. */
export const rateLimitedTokensMax = 100_000;
/** What an approved operation made and shows once is fetched by its requester within a day, or revoked. */
export const secretFetchMs = 24 * 3600 * 1000;
/** So long before the last token of an account's owners expires, an event warns of it; people are away for two weeks. */
export const wayInWarningMs = 14 * 24 * 3600 * 1000;
/** How often that is looked for: far more often than such a warning has to be early. */
export const wayInSweepMs = 10 * 60 * 1000;
/** An approval that nobody answers is rejected after 4 h (contract §7). */
export const approvalExpiryMs = 4 * 3600 * 1000;
/** A repeated POST with the same Idempotency-Key is recognised for a day. */
export const idempotencyKeyMs = 24 * 3600 * 1000;
export const idempotencyKeyLengthMax = 200;
/** Nodes named in a plan; the count of all of them is given beside. */
export const planNodesMax = 100;
export const planChangesPerNodeMax = 50;
/** Machines that are kept of what one change reached; of one that reached more, its networks and the count of all are.
 * Attaching to a mesh reaches every member, so without a bound a mesh would keep the square of its size. */
export const changeNodesMax = 100;

/** Failed authentications per source address and minute before it is answered 429. */
export const authFailuresPerMinuteMax = 30;
/** Source addresses whose failures are remembered; the oldest is forgotten first. About 100 bytes each. */
export const guessSourcesMax = 10_000;
/** How often the database is asked whether the rights that open streams stand on still hold: a stream ends within a
 * second of their loss, whichever process took them. One query for all streams of a process. */
export const rightsLookMs = 400;
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
/** Pairs of one host that a matrix pings at once: a few dead ones do not hold up the others, and 50 hosts start no more
 * than 200 processes. */
export const labPingLanesMax = 4;
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
/** What a console keeps of a filter's choice list or a plan before it says how many more there are. */
export const consoleChoicesMax = 100;

/** Clients show a model the first 40 tools and drop the rest. */
export const toolsDefaultMax = 40;
/** The whole answer to tools/list: about 15,000 tokens of a model's memory before it has read a word of its task. */
export const toolsDefaultBytesMax = 60_000;
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
/** The bit of the connection mark of connections that rules no longer allow; one that no common tool uses. */
export const endedConnectionMark = 0x0800_0000;
/** Calls of the tool that marks connections at the same time: it reads the whole table each time. */
export const rematchCallsMax = 4;
/** When they could not be marked it is tried again so much later: reading the table costs little, a busy one settles. */
export const rematchAgainMs = 5_000;
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
export const agentKickPausesMs = [250, 300, 450, 700, 1_100, 1_700] as const;
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
/** Endpoints whose address was judged and is remembered: a full mesh has one for each peer. */
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
/** The longest text of an IPv6 address with its length. */
export const prefixTextMax = 43;
/** Shorter routes than these lead to the world and not to a network: default routes, and the halves of one that VPN
 * clients add. */
export const underlayLengthMin = { 4: 8, 6: 16 } as const;
/** How often an agent looks at its underlay; a change of an address is looked at with the next audit. */
export const underlayLookMs = 30_000;
/** A lease file of a DHCP client, or a resolv.conf: a few kB each; and so many of them are read. */
export const underlayFileBytesMax = 64 * 1024;
export const underlayFilesMax = 32;
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
/** One answer to a client. A page of 500 peers is 500 kB; a topology of the largest network some MB. */
export const answerBytesMax = 64 * 1024 * 1024;
/** A stream of events that says nothing for so long is checked with a request of its own, which may take so long. */
export const eventStreamIdleMs = 15_000;
export const eventStreamProbeMs = 5_000;
/** One event on the stream, in characters: a plan of `planNodesMax` nodes with its before and after is far below. */
export const eventCharactersMax = 4 * 1024 * 1024;
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

/** IPv4 legs are taken from the shared address space (RFC 6598): 256 networks of 16,382 addresses. Where a machine has
 * that space outside its overlays (a carrier's, or another VPN's), from private space (RFC 1918), the parts first that
 * are used least. */
export const ipv4Pools = ['100.64.0.0/10', '172.16.0.0/12', '10.0.0.0/8'] as const;
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
/** Requests of one operator that wait for a decision: more than a person reads, and each is looked at whenever an object
 * changes. Those of models count apart from those of people, so that they are not in their way. */
export const pendingPerRequesterMax = 100;
/** The same for a whole account: of people, ten who ask for as much as they may; of models, two. */
export const pendingPerAccountMax = 1_000;
export const pendingOfModelsPerAccountMax = 200;
/** Notes of a plan: each is a sentence to be read. */
export const planNotesMax = 50;
/** Endpoints of one peer: two families, and a second provider. Each is tried in its turn, so more only delay. */
export const peerEndpointsMax = 4;
/** Ports of relays between hubs: so far above the hub's own port, times the number of the other hub. */
export const relayPortStep = 100;
/** What hubs see of a spoke's leaf interface is gathered so long, so that a symmetric NAT is not taken for a cone. */
export const directGatherMs = 600;
/** Each time that a spoke is said to be elsewhere, the pause before the next time doubles, up to this: whatever hubs
 * say, others are sent to no more than 16 places of one spoke in an hour. After so long a calm it begins anew. */
export const directMovePauseMaxMs = 10 * 60 * 1000;
export const directCalmMs = 60 * 60 * 1000;
/** Until all hubs have said where they see it, the word of some is not taken; after this it is. */
export const directWaitMs = 2_500;
/** A leg that was withdrawn from a machine is given back when it is seen without a conflict so long after. */
export const legRestMs = 10 * 60_000;
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
/** Nodes that judge a rule and are named with it; beyond, they are counted. */
export const judgesShownMax = 200;
/** How long work on a whole network (an audit, a matrix) goes on before others get their turn. */
export const workSliceMs = 8;
/** Counters of rules are gathered so long: they move with every packet, and nobody waits for them. */
export const ruleCounterFlushMs = 2_000;
/** Counters that wait for the database: of so many rules and nodes, 20 MB. Later words replace earlier ones. */
export const ruleCountersWaitingMax = 200_000;

/** The one-file agent is Node with a bundle in it: 127 MB on x64 today, and its packages are smaller. */
export const packageBytesMax = 512 * 1024 * 1024;
/** Two systems' packages for each processor; room for as many again. */
export const packagesMax = 8;
/** Names of packages have 33 characters at most. */
export const packageNameLengthMax = 40;
/** An architecture or a format of a package. */
export const packageWordMax = 40;
/** Downloads of packages at once: machines without a certificate ask for them, so they may not crowd out nodes. */
export const packageDownloadsMax = 32;
/** A download that takes nothing for so long is given up. */
export const packageIdleMs = 60_000;
/** A manifest is a few entries of 300 bytes. */
export const packageManifestBytesMax = 16 * 1024;

/** Making a user of the machine: another start may hold the file of users, for milliseconds. */
export const systemUserAttemptsMax = 20;
export const systemUserRetryMs = 100;
/** The least packet that IPv6 needs (RFC 8200 §5): an interface with less has no IPv6. */
export const pathSizeFloor = 1280;
/** The largest packet of a path is found to so many bytes. */
export const pathSizeStep = 8;
/** A padded probe is given so long; the round trip of a path by satellite is 0.7 s. */
export const pathSizeWaitMs = 1_000;
/** How often one size is tried before it is taken not to pass, and the whole size, of which more depends. */
export const pathSizeTries = 3;
export const pathSizeFirstTries = 5;
/** A path that stays alive is measured again after so long: paths change, and nobody tells. */
export const pathSizeAgainMs = 6 * 60 * 60 * 1000;

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
