// What the platform is told of what probes say: changes, everything again on a new stream, and nothing that is stale.
import { probeUntriedMs } from '@powernode/core/limits/presence';
import { proberRestartMs } from '@powernode/core/limits/probe';
import type { HubPathState } from '@powernode/core/presence/evaluate-peer';
import { seededRandom } from '@powernode/core/testing/random';
import type { EntryValue } from '@powernode/core/wire/document';
import { NodeDocument } from '@powernode/core/wire/node-document';
import { describe, expect, test } from 'vitest';
import { PathIndex } from '../plan/path-index.ts';
import type { ProberNews } from '../probe/messages.ts';
import { hostOf, Simulation, tunnelTo } from '../probe/simulation.fixture.ts';
import { PresenceReport } from './presence-report.ts';

const key = `${'A'.repeat(43)}=`;
const entries: Record<string, EntryValue> = {
  'interface/wg-n-1': {
    kind: 'interface',
    name: 'wg-n-1',
    network_id: 'n',
    peer_id: 'self',
    purpose: 'transit',
    public_key: key,
    listen_port: 0,
    mtu: 1420,
    addresses: [],
    probe_addresses: [],
  },
  [`peer/wg-n-1/${key}`]: {
    kind: 'peer',
    interface: 'wg-n-1',
    peer_id: 'hub',
    public_key: key,
    endpoint: null,
    allowed_ips: ['::/0'],
    keepalive: 25,
  },
};

function scene() {
  const clock = { nowMs: 10_000 };
  const report = new PresenceReport(() => clock.nowMs);
  const index = new PathIndex();
  index.update(NodeDocument.of(new Map(Object.entries(entries))), 'all');
  report.apply(index);
  const heard = (address: string, state: 'alive' | 'dead' | 'untried', backupVia: string | null = null) => {
    report.note({ sources: [{ address, state, backupVia, silentMs: 450 }], paths: [] });
  };
  const path = (state: HubPathState, forMs = 450) => {
    report.note({ sources: [], paths: [{ tunnel: `peer/wg-n-1/${key}`, state, forMs }] });
  };
  return { clock, report, heard, path };
}

describe('the report of presence', () => {
  test('says what changed once, and all of it on a new stream, each with how long it has been so [9.14]', () => {
    const { clock, report, heard, path } = scene();
    heard('fd00::1', 'alive');
    path('silent');
    expect(report.news()).toEqual([
      {
        kind: 'probed',
        heard: [{ address: 'fd00::1', heard: true, for_ms: 0 }],
        paths: [{ network_id: 'n', peer_id: 'hub', state: 'silent', for_ms: 450 }],
      },
    ]);
    expect(report.news()).toEqual([]);
    heard('fd00::1', 'alive');
    expect(report.news()).toEqual([]);
    clock.nowMs += 1_000;
    heard('fd00::1', 'dead');
    report.startAnew();
    const [frame] = report.news();
    expect(frame?.heard).toEqual([{ address: 'fd00::1', heard: false, for_ms: 450 }]);
    expect(frame?.paths).toMatchObject([{ for_ms: 1_450 }]);
  });

  test('counts one who is heard by way of another hub as heard [9.14]', () => {
    const { report, heard } = scene();
    heard('fd00::1', 'dead', 'wg-n-2');
    expect(report.news()[0]?.heard).toMatchObject([{ heard: true }]);
  });

  test('gives up whoever a prober that began anew does not hear again [9.14]', () => {
    const { report, heard } = scene();
    heard('fd00::1', 'alive');
    heard('fd00::2', 'alive');
    report.news();
    report.restarted();
    heard('fd00::1', 'alive');
    expect(report.news()).toEqual([]);
    report.giveUpUnconfirmed();
    expect(report.news()[0]?.heard).toMatchObject([{ address: 'fd00::2', heard: false }]);
  });

  test('says nothing of a hub that is no peer any more [9.14]', () => {
    const { report, path } = scene();
    path('silent');
    report.apply(new PathIndex());
    expect(report.news()).toEqual([]);
  });
});

/** The newest word of each tunnel and source that a machine's prober has posted. */
function words(simulation: Simulation, name: string) {
  const paths = new Map<string, HubPathState>();
  const heard = new Map<string, boolean>();
  const note = ({ paths: more, sources }: ProberNews) => {
    for (const { tunnel, state } of more) paths.set(tunnel, state);
    for (const { address, state } of sources) heard.set(address, state === 'alive' || state === 'returning');
  };
  for (const message of simulation.machine(name).posted) if (message.kind === 'news') note(message.news);
  return { paths, heard };
}

describe('probers', () => {
  test('say of a hub that it answers, that it is dead, and that it forwards nothing [9.14]', () => {
    const simulation = new Simulation(['j', 'k', 's'], seededRandom(1));
    simulation.advance(10_000);
    expect(words(simulation, 's').paths.get(tunnelTo('j'))).toBe('answers');
    simulation.notForwarding.add('j');
    simulation.advance(2_000);
    expect(words(simulation, 's').paths.get(tunnelTo('j'))).toBe('forwards_nothing');
    simulation.off.add('j');
    simulation.advance(2_000);
    expect(words(simulation, 's').paths.get(tunnelTo('j'))).toBe('silent');
    expect(words(simulation, 's').paths.get(tunnelTo('k'))).toBe('answers');
  });

  test('say of a spoke that a hub does not hear it any more, and of its hubs that none answers [9.28]', () => {
    const simulation = new Simulation(['j', 'k', 's', 't'], seededRandom(2));
    simulation.advance(10_000);
    simulation.cut.add('j-s');
    simulation.cut.add('k-s');
    simulation.advance(3_000);
    for (const hub of ['j', 'k']) {
      expect(words(simulation, hub).heard.get(hostOf('s'))).toBe(false);
      expect(words(simulation, hub).heard.get(hostOf('t'))).toBe(true);
      expect(words(simulation, 's').paths.get(tunnelTo(hub))).toBe('silent');
    }
  });

  test('say of hubs that never answered that they are silent, after a while [9.28]', () => {
    const simulation = new Simulation(['j', 's'], seededRandom(3));
    simulation.off.add('j');
    simulation.advance(probeUntriedMs - proberRestartMs);
    expect(words(simulation, 's').paths.size).toBe(0);
    simulation.advance(2 * proberRestartMs);
    expect(words(simulation, 's').paths.get(tunnelTo('j'))).toBe('silent');
  });
});
