// Limits of gossip between the processes of one platform.

/** What nodes say to one process is told to the others at once, and as a whole this often; after three times as much
 * silence it counts for nothing. */
export const gossipBeatMs = 1_000;
export const gossipExpiryMs = 3_000;
