// Test support: asking the real nft about a text, in a network namespace of its own, where that can be done.
import { execFileSync } from 'node:child_process';

/** What nft has against loading it; null: nothing, or there is no nft here that could be asked. */
export function refusalOf(text: string): string | null {
  isThere ??= ask('table inet powernode\n') === null;
  return isThere ? ask(text) : null;
}

let isThere: boolean | null = null;

function ask(input: string): string | null {
  try {
    const namespace = ['--map-root-user', '--net'];
    execFileSync('unshare', [...namespace, 'nft', '--check', '-f', '-'], { input, stdio: 'pipe' });
    return null;
  } catch (error) {
    return error instanceof Error && 'stderr' in error ? String(error.stderr) : String(error);
  }
}
