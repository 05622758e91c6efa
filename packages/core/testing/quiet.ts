// Test support: how far a figure may be from what is promised of it. Promises are of two processors that do nothing else, and are
// measured with POWERNODE_QUIET=1 and by the benchmarks; on a machine that is shared a test holds only that it comes.
const slack = process.env['POWERNODE_QUIET'] === '1' ? 1 : 5;

export function promisedMs(milliseconds: number): number {
  return milliseconds * slack;
}
