// What a platform serves to machines that have nothing yet: the install script and the agent's packages.
import { z } from 'zod';
import { packageBytesMax, packageNameLengthMax, packagesMax, packageWordMax } from '../limits/packages.ts';

export const installScriptPath = '/install.sh';
/** Below it: each package by its name, and the manifest. */
export const packagesPath = '/packages/';
export const manifestName = 'manifest.json';

/** As Node calls them (`process.arch`). */
export const agentArchs = ['x64', 'arm64'] as const;
export type AgentArch = (typeof agentArchs)[number];

const sha256 = z
  .string()
  .length(64)
  .regex(/^[0-9a-f]{64}$/);

const packageEntry = z.object({
  name: z
    .string()
    .max(packageNameLengthMax)
    .regex(/^powernode-agent-linux-(?:x64|arm64)\.(?:gz|deb)$/),
  arch: z.enum(agentArchs),
  /** `gz`: the one-file agent, compressed; `deb`: the same with its service, for Debian and its relatives. */
  format: z.enum(['gz', 'deb']),
  bytes: z.int().positive().max(packageBytesMax),
  /** Of the file as it is served, in lower-case hexadecimal. */
  sha256,
  /** Of the program inside: by it an agent knows whether it is the one that is served. */
  program_sha256: sha256,
});
export type PackageEntry = z.output<typeof packageEntry>;

const word = z.string().max(packageWordMax);

/** One of a later platform, for machines or in a format that are not known here: passed over. */
const laterPackage = z
  .object({ arch: word, format: word })
  .refine((one) => !packageEntry.shape.arch.safeParse(one.arch).success || !isFormat(one.format));

function isFormat(text: string): boolean {
  return packageEntry.shape.format.safeParse(text).success;
}

/** Written by the build beside the packages. */
export const packageManifest = z.object({
  version: z.string().max(64),
  packages: z
    .array(z.union([packageEntry, laterPackage]))
    .max(packagesMax)
    .transform((all) => all.filter((one): one is PackageEntry => packageEntry.safeParse(one).success)),
});
export type PackageManifest = z.output<typeof packageManifest>;
