// Limits of the fail-over of virtual IPs: leases, leadership and messages between processes.
// The reason for each number stands beside it.

/** A lease of a virtual address: shorter than the time in which a hub takes its holder for dead, by construction. */
export const addressLeaseMs = 450;
/** The kernel is told a lease so much shorter: it counts in steps of 4 ms, and is told some ms later. */
export const addressLeaseSlackMs = 15;
/** `nft` takes 0.3 to 2 ms to renew leases; one that hangs is ended, and after as long again another is told. */
export const leaseCommandMs = 100;
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
/** A candidate whose health check failed comes after the others for so long. A service is restarted or repaired sooner,
 * as a rule; one that is not costs one move in this time: a second and one hold-down, 2 % of it by default. */
export const failedCheckMs = 10 * 60_000;
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
