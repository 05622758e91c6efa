// Limits of presence: when an instance or a peer counts as offline, and how it is reported.
// The reason for each number stands beside it.

/** How often the platform looks who has fallen silent, and a look that is late by more was starved of processor. */
export const presenceTickMs = 100;
export const presenceStarvedMs = 150;
/** With so many streams, silence on all of them is more likely the platform's own line: it has to last twice as long. */
export const presenceDoubtStreamsMin = 4;
/** After a start, or the end of another process, nodes have so long to come back before they count as gone: the
 * longest pause between two of their tries, and a handshake. */
export const presenceGraceMs = 15_000;
/** Another process may hear them without this one knowing (no bus): its events wait for the next heartbeats' rows. */
export const presenceForeignMs = 45_000;
/** A machine or peer must be away, or back, for so long until an event says so; doubled with each change beyond the
 * second within `presenceFlapMs`, up to the ceiling. */
export const presenceConfirmMs = 300;
export const presenceFlapMs = 600_000;
export const presenceConfirmMaxMs = 120_000;
/** So long the two ends of a tunnel may say different things: what both notice is told within two seconds. */
export const presenceContradictionMs = 3_000;
/** Events of one kind in an account that tell of one object each, in so long; beyond, one event tells of many. */
export const presenceEventsMax = 20;
export const presenceEventsMs = 10_000;
/** Objects whose event is one of many are gathered so long. */
export const presenceGatherMs = 1_000;
/** A tunnel to a hub that never answered is silent after this; a first handshake may take some tries. */
export const probeUntriedMs = 4_000;
/** What probes say in one frame: 5,000 sources are 400 kB. More come in several. */
export const probedPerFrameMax = 5_000;
/** Tunnels to hubs: `transitHubsMax` for each network that a machine is in. */
export const probedPathsMax = 1_000;
/** Longer silences say nothing more: 400 days. */
export const probedForMsMax = 400 * 24 * 3600 * 1000;
/** What processes tell each other of presence in one message: about 1 MB. */
export const presenceGossipMax = 5_000;
