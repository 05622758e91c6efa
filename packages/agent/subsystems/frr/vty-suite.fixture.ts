// Test support: what holds of the vty of a bgpd, be it FRR's or the fake one.
import { expect, onTestFinished, test } from 'vitest';
import { systemClock } from '../../ports/clock.ts';
import { FrrConfig } from './apply.ts';
import { simpleDiff } from './config-lines.fixture.ts';
import { Vty } from './vty.ts';

export interface SuiteDaemon {
  readonly path: string;
  /** Dies by a signal and starts again, without a configuration. */
  restart(): Promise<void>;
}

export function suiteText(...neighborLines: readonly string[]): string {
  return [
    'router bgp 65000',
    ' no bgp default ipv4-unicast',
    ' neighbor fd00:1::2 remote-as 65000',
    ...neighborLines.map((line) => ` ${line}`),
    ' address-family ipv6 unicast',
    '  network fd00:5::/64',
    '  neighbor fd00:1::2 activate',
    ' exit-address-family',
    'exit',
    '',
  ].join('\n');
}

/** `open`: a daemon without a configuration. */
export function describeVty(open: () => Promise<SuiteDaemon>): void {
  const meet = async () => {
    const daemon = await open();
    const vty = new Vty({ path: daemon.path, daemon: 'bgpd', clock: systemClock });
    onTestFinished(() => vty.close());
    return { daemon, vty, config: new FrrConfig(vty, simpleDiff) };
  };
  const running = (vty: Vty) => vty.show('show running-config');

  test('shows, and refuses what it does not know in its own words', async () => {
    const { vty } = await meet();
    expect(await running(vty)).toContain('frr version');
    await expect(vty.show('show nonsense')).rejects.toThrow(/refused 'show nonsense': % .*Unknown command/);
    expect(await running(vty)).toContain('frr version');
  });

  test('answers each of many commands that come at once', async () => {
    const { vty } = await meet();
    const commands = Array.from({ length: 30 }, (_, i) =>
      i % 2 === 0 ? 'show running-config' : `show x${i}`,
    );
    const answers = await Promise.allSettled(commands.map((command) => vty.show(command)));
    for (const [i, answer] of answers.entries()) {
      if (i % 2 === 0) expect(answer).toMatchObject({ value: expect.stringContaining('frr version') });
      else expect(answer).toMatchObject({ reason: { message: expect.stringContaining(`show x${i}`) } });
    }
  });

  test('takes lines until one is refused, and says which and why', async () => {
    const { vty } = await meet();
    const lines = [
      'router bgp 65000',
      'neighbor fd00:1::2 remote-as 65000',
      'nonsense here',
      'bgp cluster-id 1.1.1.1',
    ];
    expect(await vty.configure(lines)).toEqual({
      sent: 3,
      refusal: { line: 'nonsense here', said: expect.stringMatching(/^% .*Unknown command: nonsense here$/) },
    });
    expect(await running(vty)).toContain('neighbor fd00:1::2 remote-as 65000');
    expect(await running(vty)).not.toContain('cluster-id');
  });

  test('a value that is refused with a code of success is refused', async () => {
    const { vty } = await meet();
    const { refusal } = await vty.configure(['route-map m permit 10', 'set local-preference x']);
    expect(refusal).toEqual({ line: 'set local-preference x', said: expect.stringMatching(/malformed/) });
  });

  test('sends no line that could be two', async () => {
    const { vty } = await meet();
    const { sent, refusal } = await vty.configure([
      'router bgp 65000',
      'bgp cluster-id 1.1.1.1\nno router bgp',
    ]);
    expect({ sent, said: refusal?.said }).toEqual({ sent: 0, said: 'The line has control characters.' });
    expect(await running(vty)).not.toContain('router bgp');
  });

  test('a text is applied, and then there is nothing to do', async () => {
    const { config, vty } = await meet();
    expect(await config.apply(suiteText())).toMatchObject({ kind: 'applied' });
    const before = await running(vty);
    expect(await config.apply(suiteText())).toEqual({ kind: 'unchanged' });
    expect(await config.apply(suiteText('neighbor fd00:1::2 timers 4 12'))).toMatchObject({
      kind: 'applied',
    });
    expect(await config.apply(suiteText())).toMatchObject({ kind: 'applied' });
    expect(await running(vty)).toBe(before);
  });

  test('a refused line puts everything back, and is not sent again', async () => {
    const { config, vty } = await meet();
    await config.apply(suiteText());
    const before = await running(vty);
    const wrong = suiteText('neighbor fd00:1::2 timers 4 12', 'neighbor fd00:1::3 remote-as 99999999999');
    const refused = {
      kind: 'refused',
      refusal: {
        line: 'neighbor fd00:1::3 remote-as 99999999999',
        said: expect.stringContaining('Unknown command'),
      },
      restored: true,
    };
    expect(await config.apply(wrong)).toEqual(refused);
    expect(await running(vty)).toBe(before);
    expect(await config.apply(wrong)).toEqual(refused);
    expect(await config.apply(suiteText())).toEqual({ kind: 'unchanged' });
  });

  test('a daemon that was killed is met again, and configured again', async () => {
    const { daemon, config, vty } = await meet();
    await config.apply(suiteText());
    const { generation } = vty;
    await daemon.restart();
    expect(await config.apply(suiteText())).toMatchObject({ kind: 'applied' });
    expect(vty.generation).toBe(generation + 1);
  });
}
