// What has begun and has to be ended, also when the benchmark is interrupted: processes, folders, labs.

const open = new Set<() => Promise<void>>();

/** Answers with the function that ends it, which does so once. */
export function ending(end: () => Promise<void>): () => Promise<void> {
  const once = async () => {
    if (open.delete(once)) await end();
  };
  open.add(once);
  return once;
}

/** The last to begin is the first to end. What cannot be ended does not keep the others. */
export async function endAll(): Promise<void> {
  for (const end of [...open].reverse()) {
    await end().catch((error: unknown) => process.stderr.write(`${String(error)}\n`));
  }
}
