// Limits of the database, the embedded server and the system user that runs it.
// The reason for each number stands beside it.

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
/** Making a user of the machine: another start may hold the file of users, for milliseconds. */
export const systemUserAttemptsMax = 20;
export const systemUserRetryMs = 100;
