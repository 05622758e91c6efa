// The line of a join token on machines that have nothing: Debian 12 and 13 as debootstrap makes them, without systemd.
// `npm test` tries the line on Debian 12; the rest is ten minutes with downloads, so on demand:
// POWERNODE_INSTALL=1 npx vitest run --project net suites/e2e/install
import { execFileSync } from 'node:child_process';
import path from 'node:path';
import { afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { type PlatformProgram, startPlatformProgram } from '../../stage/platform-program.ts';
import { BareMachine, debianMirror, debianRoot, type Release } from './bare-machine.ts';

const checkout = path.join(import.meta.dirname, '..', '..', '..');
const waitMs = 120_000;
/** With a debootstrap, which a machine of many downloads at once makes slow. */
const patienceMs = 1_200_000;
let platform: PlatformProgram | null = null;
let machine: BareMachine | null = null;

beforeAll(() => {
  if (canInstall) execFileSync(path.join(checkout, 'powernode'), ['agent', 'build'], { stdio: 'ignore' });
});
afterEach(async () => {
  await machine?.end();
  await platform?.end();
  [machine, platform] = [null, null];
});

const onDemand = process.env['POWERNODE_INSTALL'] === '1';
const releases: readonly Release[] = onDemand ? ['bookworm', 'trixie'] : ['bookworm'];
const canInstall = onDemand || (await debianAnswers());

/** Packages are all that these machines take from outside. On demand their lack is a failure. */
async function debianAnswers(): Promise<boolean> {
  const mirror = debianMirror();
  if (mirror === null) return false;
  try {
    return (
      await fetch(`${mirror}/dists/bookworm/Release`, { method: 'HEAD', signal: AbortSignal.timeout(10_000) })
    ).ok;
  } catch {
    return false;
  }
}

describe.skipIf(!canInstall).each(releases)('on a fresh %s', (release) => {
  it(
    'the line installs, joins, upgrades to the same, leaves, and the package goes [9.18]',
    async () => {
      machine = await BareMachine.start(debianRoot(release), releases.indexOf(release));
      platform = await startPlatformProgram(['--node-url', `https://${machine.outside}:0`]);
      await machine.reach(platform.nodePort);
      // The one thing that the line itself needs.
      await machine.must('apt-get -q update && apt-get -q install --yes --no-install-recommends curl');
      const { join_token: made } = await platform.action<{ join_token: { command: string; token: string } }>(
        'system_create_join_token',
        {},
      );
      const installed = await machine.run(made.command);
      expect(installed, `${installed.stdout}${installed.stderr}`).toMatchObject({ code: 0 });
      expect(installed.stdout).toContain('installing powernode-agent');
      expect(installed.stdout).toContain('systemd is not running');
      // A recommended package of wireguard-tools is a kernel.
      expect(await machine.must('ls /boot')).toBe('');
      expect(await machine.must('dpkg --status powernode-agent')).toContain('install ok installed');
      expect(await machine.must('cat /usr/lib/systemd/system/powernode-agent.service')).toContain(
        'ExecStart=/usr/bin/powernode agent run\n',
      );

      machine.spawn('exec powernode agent run');
      const here = platform;
      const instanceOf = async () => {
        const { instances } = await here.action<{
          instances: { id: string; status: string; connected: boolean }[];
        }>('system_list_instances', {});
        return instances[0];
      };
      await vi.waitUntil(async () => (await instanceOf())?.connected === true, { timeout: waitMs });

      const again = await machine.run(made.command);
      expect(again.stderr).toContain('this instance has already joined a platform');
      expect(again.code).toBe(1);
      expect(await machine.must('powernode agent upgrade')).toMatch(
        /^This is the agent version that https:\S+ serves/,
      );

      expect(await machine.must('powernode agent leave')).toContain('Left the platform');
      expect(await machine.must('ls /var/lib/powernode 2>/dev/null || true')).toBe('');
      await machine.must('dpkg --purge powernode-agent');
      expect((await machine.run('command -v powernode')).code).not.toBe(0);
      expect(await machine.must('ls /usr/lib/systemd/system/powernode* 2>/dev/null || true')).toBe('');
    },
    patienceMs,
  );

  if (!onDemand) return;

  it(
    'another agent than the platform serves is upgraded to that one [9.18]',
    async () => {
      machine = await BareMachine.start(debianRoot(release), releases.indexOf(release));
      platform = await startPlatformProgram(['--node-url', `https://${machine.outside}:0`]);
      await machine.reach(platform.nodePort);
      await machine.must('apt-get -q update && apt-get -q install --yes --no-install-recommends curl');
      const { join_token: made } = await platform.action<{ join_token: { command: string } }>(
        'system_create_join_token',
        {},
      );
      expect(await machine.run(made.command)).toMatchObject({ code: 0 });
      // Another program of the same behaviour: a byte behind the end of an ELF file changes nothing but its digest.
      await machine.must(
        'cp /usr/bin/powernode /usr/bin/draft && printf x >> /usr/bin/draft && mv /usr/bin/draft /usr/bin/powernode',
      );
      expect(await machine.must('powernode agent upgrade --check')).toContain('serves another agent');
      expect(await machine.must('powernode agent upgrade')).toContain('The agent is ');
      expect(await machine.must('powernode agent upgrade')).toMatch(/^This is the agent version that/);
      expect(await machine.must('cat /var/lib/powernode/identity.json')).toContain('instance_id');
    },
    patienceMs,
  );
});
