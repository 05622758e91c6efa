// Limits of what the platform does by itself: periodic jobs, retention, durable operations.

const dayMs = 24 * 3600 * 1000;

/** A job of the leader looks again after this when another process leads, or still runs the job: as often as a leader
 * says that it leads. */
export const jobLeaderCheckMs = 1_000;

/** How often the tables are looked through for rows that are not kept. An hour's rows of a busy platform (10 calls a
 * second) are 36,000, and a run deletes up to `retentionBatchRows * retentionBatchesPerRun` of each table. */
export const retentionIntervalMs = 10 * 60 * 1000;
/** The first time so long after the start, when nodes have come back. */
export const retentionFirstMs = 60 * 1000;
/** Rows that one transaction deletes: about 20 ms, in which no other transaction waits long. */
export const retentionBatchRows = 1_000;
/** Batches of one table in one run: two seconds at most for each table; the rest waits for the next run. */
export const retentionBatchesPerRun = 100;
/** What the settings `retention.events_days` and `retention.changes_days` take. At least 30 days, for as long as the
 * platform itself looks back for what it has asked people (`roleRefusedKeptMs`); at most 10 years. */
export const retentionDaysMin = 30;
export const retentionDaysMax = 3_650;
/** A yearly audit still finds the whole year before it. */
export const eventsKeptDays = 400;
/** Why a node is at its revision is asked within a quarter; beyond that the events say what was done. */
export const changesKeptDays = 90;
/** Newest events of each account that stay however old they are: an account in which nothing happens still shows what
 * happened last, and the ids of its events go on from there. */
export const eventsKeptPerAccountMin = 1_000;
/** Tokens and grants that let nobody in any more: lists show them, and an incident is looked into within a quarter. */
export const endedCredentialsKeptMs = 90 * dayMs;
/** Machines that were terminated and devices that were revoked, which events go on naming. */
export const endedObjectsKeptMs = 400 * dayMs;
/** WireGuard keys that no peer has any more; a machine that was heard since has removed them. */
export const retiredKeysKeptMs = 90 * dayMs;
/** Operations that are over: as with changes, their events stay longer. */
export const endedOperationsKeptMs = 90 * dayMs;

/** Findings that are over: as with operations, their events stay longer. */
export const endedFindingsKeptMs = 90 * dayMs;
/** How often the leader audits the route policies and firewall rules of all accounts. What a change does to them is found
 * soon after it; the rest is names that changed, and what was missed while no process led. */
export const auditIntervalMs = 15 * 60 * 1000;
/** The first time so long after the start, when nodes have come back. */
export const auditFirstMs = 30_000;
/** So long after the first change of an account it is audited: an import of a thousand rules is one audit. */
export const auditAfterChangeMs = 5_000;
/** Findings of one account that are kept, open ones and each time those that are over: nobody reads more, and a network of
 * 10,000 rules that are all shadowed has as many. The gravest are kept. */
export const findingsPerAccountMax = 2_000;
/** Events of one audit of one account; the last one says how many more there would be. */
export const findingEventsPerAuditMax = 50;

/** How often a process looks for operations that are due; one that was begun here is taken at once. */
export const operationsLookMs = 1_000;
/** Operations that one process runs at a time: each has a transaction while it writes, of ten database sessions. */
export const operationsAtOnceMax = 4;
/** Of one account, in all processes: so that no account takes the turns of all others. */
export const operationsAtOncePerAccountMax = 2;
/** A process that was killed holds an operation so long; one that lives says so three times as often. */
export const operationClaimMs = 15_000;
/** The pause after a step that failed: it doubles each time up to the ceiling, jittered by half. */
export const operationRetryFirstMs = 1_000;
export const operationRetryMaxMs = 5 * 60 * 1000;
/** A step that fails so often in a row has failed: about an hour with these pauses. */
export const operationAttemptsMax = 20;
/** Operations of one account that are not over: far more than machines that are drained or made at once. */
export const openOperationsPerAccountMax = 1_000;
/** Input, memory between steps, and result of an operation: each a few ids, or a hundred ids with names. */
export const operationJsonBytesMax = 64 * 1024;
/** A drain is looked at so often until nothing depends on the machine, and given up after so long: machines that still have
 * not applied it by then are named in its result. */
export const drainLookMs = 1_000;
export const drainWaitMs = 10 * 60 * 1000;
/** What a step says of its progress, or of its failure: a sentence or two. */
export const operationDetailMax = 500;
