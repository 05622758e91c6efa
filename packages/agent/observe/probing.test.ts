// What the prober says, and who of the agent hears it.
import { pino } from 'pino';
import { expect, test } from 'vitest';
import type { ProberNews } from '../probe/messages.ts';
import { FakeProber } from '../probe/prober.fixture.ts';
import { Probing } from './probing.ts';

const nothing: ProberNews = { tunnels: [], sources: [], paths: [], watched: [], leases: [], holders: [] };
const holder = { holder: 'fd00:99::103', roundTripMs: 8, withheld: [] };
const source = { address: 'fd00:99::103', state: 'alive', backupVia: null, silentMs: 0 } as const;

test.each<[string, Partial<ProberNews>, number]>([
  ['the state of a tunnel', { tunnels: [{ tunnel: 'peer/wg-test/k', state: 'alive' }] }, 1],
  ['somebody who probes', { sources: [source] }, 1],
  ['the distance of an anycast holder alone', { holders: [holder] }, 1],
  ['an anycast holder that withholds', { holders: [{ ...holder, withheld: ['fd00:99::f0'] }] }, 1],
  ['a lease, which moves no packet', { leases: [{ virtualIpId: 'v', epoch: 1, isHeld: true }] }, 0],
])('of %s routes are told, or not', (_, news, times) => {
  const prober = new FakeProber();
  const heard: ProberNews[] = [];
  new Probing({
    startProber: prober.start,
    stream: { isOpen: false } as ConstructorParameters<typeof Probing>[0]['stream'],
    clock: { monotonicMs: () => 0, after: () => () => undefined },
    log: pino({ level: 'silent' }),
    news: (one) => heard.push(one),
    restarted: () => undefined,
    problems: { set: () => undefined },
    mtuChanged: () => undefined,
  });
  prober.events.news({ ...nothing, ...news });
  expect(heard).toHaveLength(times);
});
