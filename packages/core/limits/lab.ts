// Limits of labs.
// The reason for each number stands beside it.

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
