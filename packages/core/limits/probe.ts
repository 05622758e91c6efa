// Limits of probes: intervals, timeouts, hold times and path sizes.
// The reason for each number stands beside it.

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
/** A prober that was not run for so long draws no conclusion from what it did not hear meanwhile. */
export const probeStarvedMs = 150;
/** The prober's turn: a third of the interval, so that a silence is noticed soon after it has been long enough. */
export const probeTickMs = 40;
/** Probes that a hub answers in a second before it asks for fewer: a third of one processor. 600 spokes of 2 hubs stay
 * below it; with more of them a dead hub is noticed later, and never slower than this. */
export const probesPerSecondMax = 10_000;
export const probeIntervalMaxMs = 2_000;
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
