// A lab in a changed root (chroot), as a Debian of debootstrap is entered: what runs in its nodes has that root too.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { ownLabFolder, uniqueName } from '../testing/scene.ts';

let removeFolder: () => Promise<void>;
let root: string;
beforeAll(async () => {
  removeFolder = await ownLabFolder();
  root = mkdtempSync(path.join(tmpdir(), 'powernode-root-'));
});
afterAll(async () => {
  rmSync(root, { recursive: true, force: true });
  await removeFolder();
});

/** The machine once more, with one file that only this root has. */
const enter = `
set -e
mount --rbind / "$1"
mount -t tmpfs only "$1/mnt"
echo 'of this root' > "$1/mnt/note"
exec chroot "$1" "$2" --input-type=module --eval "$3"
`;

it('a node of a lab in a changed root sees that root [9.17]', () => {
  const from = (file: string) => JSON.stringify(path.join(import.meta.dirname, file));
  const program = `
    import { makeNodeFolder } from ${from('folder.ts')};
    import { inside, killHolder, startHolder } from ${from('holder.ts')};
    import { run } from ${from('run.ts')};
    const mark = ${JSON.stringify({ lab: uniqueName('root'), node: 'edge' })};
    const holder = await startHolder(mark, await makeNodeFolder(mark.lab, mark.node));
    try {
      process.stdout.write(await run(inside(holder, { program: 'cat', args: ['/mnt/note'] })));
    } finally {
      await killHolder(mark);
    }
  `;
  const args = [
    '--mount',
    '--propagation',
    'private',
    'sh',
    '-c',
    enter,
    'sh',
    root,
    process.execPath,
    program,
  ];
  const { status, stdout, stderr } = spawnSync('unshare', args, { encoding: 'utf8' });
  expect({ status, stdout, stderr }).toEqual({ status: 0, stdout: 'of this root\n', stderr: '' });
});
