// The agent as a Debian package: the program as /usr/bin/powernode, and its service. Written without dpkg, so that it
// can be made on any Linux. Formats: deb(5), ar(5).
import { chmodSync, copyFileSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { gzipSync } from 'node:zlib';
import { agentNeeds, packagesOf } from '@powernode/core/machine/needs';
import { agentServiceName, agentServiceUnit } from '@powernode/core/machine/service';
import type { AgentArch } from '@powernode/core/wire/packages';
import { agentVersion } from '../version.ts';
import { run } from './program.ts';

const debianArch: Readonly<Record<AgentArch, string>> = { x64: 'amd64', arm64: 'arm64' };

const serviceName = `${agentServiceName}.service`;

export interface DebOptions {
  readonly program: string;
  readonly arch: AgentArch;
  /** A folder for drafts. */
  readonly work: string;
}

/** The bytes of the package. The same program makes the same bytes. */
export function makeDeb({ program, arch, work }: DebOptions): Buffer {
  const data = path.join(work, `data-${arch}`);
  const control = path.join(work, `control-${arch}`);
  mkdirSync(path.join(data, 'usr/bin'), { recursive: true });
  mkdirSync(path.join(data, 'usr/lib/systemd/system'), { recursive: true });
  mkdirSync(control);
  copyFileSync(program, path.join(data, 'usr/bin/powernode'));
  chmodSync(path.join(data, 'usr/bin/powernode'), 0o755);
  write(
    path.join(data, 'usr/lib/systemd/system', serviceName),
    agentServiceUnit('/usr/bin/powernode'),
    0o644,
  );
  write(path.join(control, 'control'), controlText(arch, readFileSync(program).length), 0o644);
  for (const [name, text] of Object.entries(scripts)) write(path.join(control, name), text, 0o755);
  return ar([
    { name: 'debian-binary', content: Buffer.from('2.0\n') },
    { name: 'control.tar.gz', content: gzipSync(tar(control, work), { level: 9 }) },
    // The program hardly shrinks more at higher levels, which take five times as long.
    { name: 'data.tar.gz', content: gzipSync(tar(data, work), { level: 1 }) },
  ]);
}

function controlText(arch: AgentArch, bytes: number): string {
  const { programs, userspaceWireguard } = agentNeeds();
  return `Package: powernode-agent
Version: ${agentVersion}
Architecture: ${debianArch[arch]}
Maintainer: Powernode <powernode@localhost>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: libc6, libstdc++6, ${packagesOf(programs).join(', ')}
Suggests: ${userspaceWireguard.debian}
Section: net
Priority: optional
Description: Agent of the Powernode overlay network
 Configures WireGuard tunnels, addresses, routes and firewall rules
 as its Powernode platform specifies, and keeps them so.
`;
}

/**
 * Nothing starts by installation: a machine that has not joined has nothing to run. An upgrade starts again what ran;
 * the tunnels go on meanwhile. What the machine has joined stays when the package goes: \`powernode agent leave\` is
 * what undoes it.
 */
const scripts: Readonly<Record<string, string>> = {
  postinst: `#!/bin/sh
set -e
if [ "$1" = configure ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
  systemctl try-restart ${serviceName} || true
fi
`,
  prerm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl disable --now ${serviceName} || true
fi
`,
  postrm: `#!/bin/sh
set -e
if [ "$1" = remove ] && [ -d /run/systemd/system ]; then
  systemctl daemon-reload || true
fi
`,
};

function write(file: string, text: string, mode: number): void {
  writeFileSync(file, text, { mode });
  chmodSync(file, mode);
}

/** Without the owner, the times and the order of this machine. */
function tar(folder: string, work: string): Buffer {
  const file = path.join(work, `${path.basename(folder)}.tar`);
  const same = ['--sort=name', '--mtime=@0', '--owner=0', '--group=0', '--numeric-owner', '--format=gnu'];
  run('tar', [...same, '--mode=go-w', '-C', folder, '-cf', file, '.']);
  return readFileSync(file);
}

interface Member {
  readonly name: string;
  readonly content: Buffer;
}

function ar(members: readonly Member[]): Buffer {
  const parts = members.flatMap(({ name, content }) => [
    Buffer.from(
      `${name.padEnd(16)}${'0'.padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.length).padEnd(10)}\`\n`,
    ),
    content,
    // Members begin at even places.
    Buffer.from(content.length % 2 === 1 ? '\n' : ''),
  ]);
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts]);
}
