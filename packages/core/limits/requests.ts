// Limits of operators’ requests: bodies, pages, sign-in, approvals, idempotency, events and metrics.
// The reason for each number stands beside it.

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
/** Series of one metric that has one for each object: 5,000 are 1 MB of text at each scrape. */
export const metricSeriesMax = 5_000;
/** What a scrape needs of the database is read at most this often. */
export const metricRowsMs = 5_000;
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
/** Requests of one operator that wait for a decision: more than a person reads, and each is looked at whenever an object
 * changes. Those of models count apart from those of people, so that they are not in their way. */
export const pendingPerRequesterMax = 100;
/** The same for a whole account: of people, ten who ask for as much as they may; of models, two. */
export const pendingPerAccountMax = 1_000;
export const pendingOfModelsPerAccountMax = 200;
/** Notes of a plan: each is a sentence to be read. */
export const planNotesMax = 50;
