// Limits of the console: what it draws, keeps and polls.
// The reason for each number stands beside it.

/** Rows of a console's table that are all drawn; longer tables draw what is in view. Fits a few screens. */
export const consoleRowsDrawnMax = 60;
/** Events that a console keeps while it is open: a day of a busy fleet, about 5 MB. */
export const consoleEventsKeptMax = 5000;
/** Machines drawn one by one in the topology of a network; beyond, spokes are shown in groups by their hub. */
export const consoleTopologyNodesMax = 300;
/** Tunnels drawn at once: more of them are a grey cloud. Those of hubs and of the chosen machine come first. */
export const consoleTopologyTunnelsMax = 900;
/** LANs drawn around it: more of them make it so wide that nothing can be read. */
export const consoleTopologyLansMax = 40;
/** Events come in bursts; what they concern is read again once for so long a burst. */
export const consoleRefreshMs = 150;
/** The same for lists of several pages, whose rows are patched in place meanwhile. */
export const consoleLongListRefreshMs = 5_000;
/** How often a console reads again what no event announces (traffic, ages): while something is under way, at rest,
 * and for lists of several pages. */
export const consolePollBusyMs = 1_000;
export const consolePollIdleMs = 5_000;
export const consolePollLongMs = 30_000;
/** What a console keeps of a filter's choice list or a plan before it says how many more there are. */
export const consoleChoicesMax = 100;
