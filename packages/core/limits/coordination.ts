// Limits of what the platform does by itself: periodic jobs and retention.

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
