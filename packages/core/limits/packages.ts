// Limits of the packages that a platform serves to machines.
// The reason for each number stands beside it.

/** The one-file agent is Node with a bundle in it: 127 MB on x64 today, and its packages are smaller. */
export const packageBytesMax = 512 * 1024 * 1024;
/** Two systems' packages for each processor; room for as many again. */
export const packagesMax = 8;
/** Names of packages have 33 characters at most. */
export const packageNameLengthMax = 40;
/** An architecture or a format of a package. */
export const packageWordMax = 40;
/** Downloads of packages at once: machines without a certificate ask for them, so they may not crowd out nodes. */
export const packageDownloadsMax = 32;
/** A download that takes nothing for so long is given up. */
export const packageIdleMs = 60_000;
/** A manifest is a few entries of 300 bytes. */
export const packageManifestBytesMax = 16 * 1024;
