// When the host's filters are looked at, and what follows.
import { readFileSync } from 'node:fs';
import path from 'node:path';
import { agentHostLookMs, agentRulesetMonitorAgainMs } from '@powernode/core/limits/agent';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { pino } from 'pino';
import { beforeEach, expect, test } from 'vitest';
import { hubDocument } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import { FakeRun } from '../ports/run.fixture.ts';
import { FakeSettings } from '../ports/settings.fixture.ts';
import { type HostOptions, HostWatch } from './host-watch.ts';

const docker = readFileSync(path.join(import.meta.dirname, 'fixtures', 'docker-ipv6.json'), 'utf8');

let clock: FakeClock;
let run: FakeRun;
let listing: string;
let found: string[];
let entries: readonly EntryValue[];

beforeEach(() => {
  clock = new FakeClock();
  listing = docker;
  found = [];
  entries = hubDocument(1, `${'K'.repeat(43)}=`);
  run = new FakeRun({
    nft: () => ({ stdout: listing }),
    ip6tables: () => {
      listing = '{"nftables": []}';
      return {};
    },
  });
});

function watch(hostFirewall: HostOptions['hostFirewall']): HostWatch {
  return new HostWatch({
    run,
    clock,
    settings: new FakeSettings({}),
    folder: freshFolder(),
    log: pino({ level: 'silent' }),
    options: { bridges: [], exportRoutes: false, hostFirewall },
    document: () => nodeDocumentOf(entries),
    found: (problems) => found.push(problems.map(({ code }) => code).join()),
  });
}

const looks = () => run.log.filter((line) => line.startsWith('nft ')).length;

test('a node whose document changes all the time does not look all the time [9.27]', async () => {
  const host = watch('observe');
  for (let i = 0; i < 40; i++) {
    host.look();
    await clock.advance(agentRulesetMonitorAgainMs / 20);
  }
  expect(looks()).toBeLessThanOrEqual(3);
  expect(found[0]).toBe('host_firewall_forward');
  const before = looks();
  await clock.advance(agentHostLookMs + agentRulesetMonitorAgainMs);
  expect(looks()).toBeGreaterThan(before);
  await host.stop();
  await clock.advance(10 * agentHostLookMs);
  expect(looks()).toBeLessThanOrEqual(before + 3);
});

test('nothing is changed on the host unless its owner asked for it [9.27]', async () => {
  watch('observe').look();
  await clock.advance(0);
  expect(run.log.filter((line) => line.startsWith('ip6tables'))).toEqual([]);
  watch('accept').look();
  await clock.advance(0);
  expect(run.log.filter((line) => line.startsWith('ip6tables -w -I DOCKER-USER'))).not.toEqual([]);
  expect(found).toEqual(['host_firewall_forward', '']);
});

test('a machine without overlays has nothing to look for, and a look that fails is no problem of the node [9.27]', async () => {
  entries = [];
  watch('observe').look();
  await clock.advance(0);
  expect(looks()).toBe(0);
  entries = hubDocument(1, `${'K'.repeat(43)}=`);
  listing = 'nonsense';
  watch('observe').look();
  await clock.advance(0);
  expect(found).toEqual(['']);
});
