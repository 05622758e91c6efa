// Limits of anycast virtual IPs: health checks of their holders, and which holder is the nearest.
// The reason for each number stands beside it.

/** A check costs a connection; ten in a second are noticed by no service, and a minute is longer than anybody waits. */
export const healthCheckIntervalMinMs = 100;
export const healthCheckIntervalMaxMs = 60_000;
/** With these a service that refuses connections is found out within 0.6 s, so that its holder is left within 1 s. */
export const healthCheckIntervalDefaultMs = 200;
export const healthCheckFallDefault = 3;
export const healthCheckRiseDefault = 2;
/** Failures until a holder leaves, and successes until it returns: with more, the interval is what is wrong. */
export const healthCheckTimesMax = 10;
export const healthCheckPathMax = 200;
/** An answer takes at most one interval, and never longer than this: clients give up sooner. */
export const healthCheckTimeoutMaxMs = 2_000;
/** The status line of HTTP is all that is read. */
export const healthCheckAnswerBytesMax = 512;
/** An agent that was not run for so long during a check draws no conclusion from it. */
export const healthCheckStarvedMs = 150;
/** Why a check failed is a sentence. */
export const healthCheckErrorMax = 200;
/** Addresses with a health check that one instance holds: their 16 bytes each fit into one datagram of 1,280 bytes, and
 * 64 checks, ten times a second each, cost a few percent of a processor. */
export const healthChecksPerNodeMax = 64;
/** All of them, and as many that are no more. */
export const healthChecksPerFrameMax = 2 * healthChecksPerNodeMax;
/** Events about the health of holders that one instance may cause in a minute. More are counted in the next one. */
export const healthEventsPerMinuteMax = 60;

/** Another holder is nearer when its round trip is shorter by a fifth and by 2 ms, without a break for 5 s: less is what a
 * busy path varies by. */
export const nearerShare = 0.2;
export const nearerMs = 2;
export const nearerForMs = 5_000;
/** Round trips are smoothed as those of TCP are (RFC 6298 §2): a new one counts for an eighth. */
export const roundTripGain = 1 / 8;
/** A round trip is news when it differs by so much from what was said last, and at most so often. */
export const roundTripNewsShare = 0.1;
export const roundTripNewsMs = 0.5;
export const roundTripNewsEveryMs = 500;
