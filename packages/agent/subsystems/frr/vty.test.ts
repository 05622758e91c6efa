// The vty with a daemon that is not there: the suite that FRR passes too, and a daemon that misbehaves.
import { frrCommandMs, frrQueueMax } from '@powernode/core/limits/agent';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FakeClock } from '../../ports/clock.fixture.ts';
import { type Clock, systemClock } from '../../ports/clock.ts';
import { FrrConfig } from './apply.ts';
import { count, members } from './checks.ts';
import { simpleDiff } from './config-lines.fixture.ts';
import { FakeDaemon } from './fake-daemon.fixture.ts';
import { Vty } from './vty.ts';
import { describeVty, suiteText } from './vty-suite.fixture.ts';

async function fake(): Promise<FakeDaemon> {
  const daemon = await new FakeDaemon().start();
  onTestFinished(() => daemon.end());
  return daemon;
}

async function meet(clock: Clock = systemClock) {
  const daemon = await fake();
  const vty = new Vty({ path: daemon.path, daemon: 'bgpd', clock });
  onTestFinished(() => vty.close());
  return { daemon, vty, config: new FrrConfig(vty, simpleDiff) };
}

describe('the vty of the fake daemon', () => describeVty(fake));

describe('a daemon that misbehaves', () => {
  const trouble = (kind: string): unknown => expect.objectContaining({ trouble: kind });

  test('is not there: the command fails, and the next one meets it', async () => {
    const { daemon, vty } = await meet();
    await daemon.kill();
    await expect(vty.show('show running-config')).rejects.toEqual(trouble('unreachable'));
    await daemon.start();
    expect(await vty.show('show running-config')).toContain('frr version');
  });

  test.each(['drop', 'part'] as const)('ends in the middle of a command (%s)', async (fault) => {
    const { daemon, vty } = await meet();
    daemon.faults.set('show version', fault);
    await expect(vty.show('show version')).rejects.toEqual(trouble('lost'));
    expect(await vty.show('show running-config')).toContain('frr version');
  });

  test('ends in the middle of a change: it fails, and is made as a whole by the next apply', async () => {
    const { daemon, config } = await meet();
    const line = 'neighbor fd00:1::2 remote-as 65000';
    daemon.faults.set(line, 'drop');
    await expect(config.apply(suiteText())).rejects.toEqual(trouble('lost'));
    daemon.faults.clear();
    expect(await config.apply(suiteText())).toMatchObject({ kind: 'applied' });
    expect(daemon.running).toContain(line);
  });

  test('does not answer: the command fails after its time, those behind it do not wait for it', async () => {
    const clock = new FakeClock();
    const { daemon, vty } = await meet(clock);
    daemon.faults.set('show version', 'hang');
    await vty.show('show running-config');
    const asked = vty.show('show version');
    const next = vty.show('show running-config');
    const failed = expect(asked).rejects.toEqual(trouble('slow'));
    await expect.poll(() => daemon.log.at(-1)).toBe('show version');
    await clock.advance(frrCommandMs);
    await failed;
    expect(await next).toContain('frr version');
  });

  test('answers without end', async () => {
    const { daemon, vty } = await meet();
    daemon.faults.set('show version', 'flood');
    await expect(vty.show('show version')).rejects.toEqual(trouble('too_large'));
    expect(await vty.show('show running-config')).toContain('frr version');
  });

  test('answers with what is no JSON, or of another shape', async () => {
    const { daemon, vty } = await meet();
    daemon.answers.set('show a json', 'no JSON');
    daemon.answers.set('show b json', '{"n":"one"}');
    const read = (answer: unknown) => ({ n: count(members(answer, 'all', 9)['n'], 'n', 0) });
    await expect(vty.showJson('show a json', read)).rejects.toEqual(trouble('unreadable'));
    await expect(vty.showJson('show b json', read)).rejects.toThrow(/unreadable \(n: /);
    daemon.answers.set('show b json', '{"n":1}');
    expect(await vty.showJson('show b json', read)).toEqual({ n: 1 });
  });

  test('commands that wait are counted', async () => {
    const { daemon, vty } = await meet();
    daemon.faults.set('show version', 'hang');
    const waiting = Array.from({ length: frrQueueMax }, () => vty.show('show version').catch(() => 'ended'));
    await expect(vty.show('show version')).rejects.toEqual(trouble('busy'));
    await daemon.kill();
    await Promise.all(waiting);
  });
});

describe('a change', () => {
  test('that was refused for nothing counts as made: the running configuration says so', async () => {
    const { daemon, vty } = await meet();
    const wanted = suiteText();
    const config = new FrrConfig(vty, (running, text) => {
      const commands = simpleDiff(running, text);
      return commands.length === 0 ? [] : [...commands, 'router bgp 65000', 'no network 192.0.2.0/24'];
    });
    expect(await config.apply(wanted)).toMatchObject({ kind: 'applied' });
    expect(daemon.log).toContain('no network 192.0.2.0/24');
  });

  test('that FRR takes and does not keep is refused', async () => {
    const { daemon, config } = await meet();
    daemon.unkept.add('network fd00:5::/64');
    const answer = await config.apply(suiteText());
    expect(answer).toMatchObject({ kind: 'refused', refusal: { line: 'network fd00:5::/64' } });
  });

  test('of an unchanged text sends nothing but the question what runs', async () => {
    const { daemon, config } = await meet();
    await config.apply(suiteText());
    daemon.log.splice(0);
    await config.apply(suiteText());
    expect(daemon.log).toEqual(['show running-config']);
  });

  test('that somebody else made while a text is refused is repaired', async () => {
    const { daemon, vty, config } = await meet();
    await config.apply(suiteText());
    const before = daemon.running;
    const wrong = suiteText('neighbor fd00:1::3 remote-as 0');
    await config.apply(wrong);
    await vty.configure(['router bgp 65000', 'neighbor fd00:1::9 remote-as 65000']);
    expect(await config.apply(wrong)).toMatchObject({ kind: 'refused', restored: true });
    expect(daemon.running).toBe(before);
  });
});
