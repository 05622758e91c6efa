// Runs the official conformance suite of MCP against the surface, once for each revision that the platform serves.
// The suite itself evaluates by docs/mcp-conformance-exceptions.yaml: it fails on a failure that is not listed there,
// and on a listed one that passes.
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { startConformanceServer } from './conformance-server.ts';

const repository = path.join(import.meta.dirname, '..', '..', '..', '..', '..');
const exceptions = path.join(repository, 'docs', 'mcp-conformance-exceptions.yaml');
const suite = path.join(
  path.dirname(createRequire(import.meta.url).resolve('@modelcontextprotocol/conformance/package.json')),
  'dist',
  'index.js',
);

test.each(['2026-07-28', '2025-11-25'])(
  'the server conforms to revision %s but for what is listed',
  async (revision) => {
    const server = await startConformanceServer();
    onTestFinished(() => server.close());
    const results = await mkdtemp(path.join(tmpdir(), 'mcp-conformance-'));
    onTestFinished(() => rm(results, { recursive: true }));
    const { code, output } = await run([
      ...['server', '--url', server.url, '--requirements', revision],
      ...['--expected-failures', exceptions, '--output-dir', results],
    ]);
    expect(code, output).toBe(0);
    expect(output).toContain('Baseline check passed');
  },
  120_000,
);

function run(args: readonly string[]): Promise<{ code: number | null; output: string }> {
  return new Promise((resolve) => {
    const child = execFile(process.execPath, [suite, ...args], { maxBuffer: 1 << 26 }, (_, out, err) =>
      resolve({ code: child.exitCode, output: `${out}${err}` }),
    );
  });
}
