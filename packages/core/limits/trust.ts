// Limits of certificates, tokens and enrolment.
// The reason for each number stands beside it.

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
/** Certificates begin so long before they are made: clocks of machines that just booted are often behind. */
export const certificateBackdateMs = 3600 * 1000;
/** Unused public keys that a node keeps published: two an attach, and attaches come in small bursts. */
export const unusedKeysTarget = 16;
/** More than the target, so that a burst of top-ups is not refused; less than would let a node fill a table. */
export const unusedKeysMax = 64;
/** Enrolments under way at once: each has one of the `databaseSessionsMax`, and streams need the others. */
export const enrolmentsAtOnceMax = 4;
/** Those that wait for their turn, at a few milliseconds each: over within seconds. */
export const enrolmentsWaitingMax = 512;
/** When a machine that found no place may try again; and so long it goes on trying. */
export const enrolmentRetrySeconds = 3;
export const joinBusyMs = 5 * 60_000;
/** Timers of the runtime hold 31 bits of milliseconds (24.8 days) and fire at once when given more. */
export const timerMsMax = 2 ** 31 - 1;
