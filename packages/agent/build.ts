// Builds the agent as one file for machines without Node, and the packages that a platform serves.
// `node packages/agent/build.ts [FOLDER]`: the program for this machine, packages/agent/dist by default.
// `… --packages --node x64=FILE --node arm64=FILE FOLDER`: with these Nodes, which must be of the version that runs this.
import { hash } from 'node:crypto';
import { mkdirSync, mkdtempSync, readFileSync, renameSync, rmSync, statSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { parseArgs } from 'node:util';
import { gzipSync } from 'node:zlib';
import { type AgentArch, agentArchs, manifestName, type PackageEntry } from '@powernode/core/wire/packages';
import { makeDeb } from './build/deb.ts';
import { bundleAgent, makeProgram } from './build/program.ts';
import { agentVersion } from './version.ts';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    packages: { type: 'boolean', default: false },
    node: { type: 'string', multiple: true, default: [] },
  },
});
const target = path.resolve(positionals[0] ?? path.join(import.meta.dirname, 'dist'));
mkdirSync(target, { recursive: true });
// Beside the places of what is made, so that each is moved there whole: a program may be running, a package be served.
const work = mkdtempSync(path.join(target, '.draft-'));
try {
  const blob = await bundleAgent(work);
  if (values.packages) makePackages(blob, nodesOf(values.node));
  else {
    const name = `powernode-agent-${process.platform}-${process.arch}`;
    makeProgram({ node: process.execPath, blob, program: path.join(work, name) });
    publish(name);
    process.stdout.write(
      `${path.join(target, name)} (${Math.round(statSync(path.join(target, name)).size / 1e6)} MB)\n`,
    );
  }
} finally {
  rmSync(work, { recursive: true, force: true });
}

function makePackages(blob: string, nodes: ReadonlyMap<AgentArch, string>): void {
  const packages: PackageEntry[] = [];
  for (const [arch, node] of nodes) {
    const program = path.join(work, `program-${arch}`);
    makeProgram({ node, blob, program });
    const content = readFileSync(program);
    const about = { arch, program_sha256: hash('sha256', content) };
    const files = { gz: gzipSync(content, { level: 1 }), deb: makeDeb({ program, arch, work }) };
    for (const format of ['gz', 'deb'] as const) {
      const name = `powernode-agent-linux-${arch}.${format}`;
      const bytes = files[format];
      writeFileSync(path.join(work, name), bytes);
      packages.push({ ...about, name, format, bytes: bytes.length, sha256: hash('sha256', bytes) });
    }
  }
  for (const { name } of packages) publish(name);
  // Last: it names only what is there.
  writeFileSync(
    path.join(work, manifestName),
    `${JSON.stringify({ version: agentVersion, packages }, null, 2)}\n`,
  );
  publish(manifestName);
}

function publish(name: string): void {
  renameSync(path.join(work, name), path.join(target, name));
}

function nodesOf(given: readonly string[]): ReadonlyMap<AgentArch, string> {
  return new Map(
    given.map((text): [AgentArch, string] => {
      const [name = '', file = ''] = text.split('=', 2);
      const arch = agentArchs.find((known) => known === name);
      if (arch !== undefined && file !== '') return [arch, path.resolve(file)];
      throw new Error(`--node takes ARCH=FILE with ${agentArchs.join(' or ')}, not "${text}"`);
    }),
  );
}
