// Limits of the streams of nodes: frames, rates, heartbeats, delivery and reports.
// The reason for each number stands beside it.

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
/** Streams are looked after in so many groups, one after the other: a ping costs 60 µs, so that those of 5,000 machines
 * hold everything else up for 8 ms at a time. */
export const streamGroups = 40;
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
 * times what is repaired when all rules of a machine were flushed, and 6 MB a day; beyond, the number alone is told. */
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
/** One thing that was repaired, for people. */
export const driftDetailMax = 1000;
