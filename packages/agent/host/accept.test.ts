// What is run to let the agent's traffic through a host's filter, and what takes it back. The tools need not be there.

import { readFileSync } from 'node:fs';
import path from 'node:path';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { beforeEach, expect, test } from 'vitest';
import { hubDocument, transit } from '../fixtures/documents.ts';
import { freshFolder } from '../fixtures/folder.ts';
import { FakeRun } from '../ports/run.fixture.ts';
import type { StateFolder } from '../state/folder.ts';
import { HostAcceptance } from './accept.ts';
import { hostDrops, networksOf } from './drops.ts';
import { readHostRules } from './host-rules.ts';

const key = `${'K'.repeat(43)}=`;
const hub = [...hubDocument(1, key), transit(1, 2, key)];

function drops(name: string) {
  const text = readFileSync(path.join(import.meta.dirname, 'fixtures', `${name}.json`), 'utf8');
  return hostDrops({ rules: readHostRules(text), networks: networksOf(nodeDocumentOf(hub)) });
}

let folder: StateFolder;
let run: FakeRun;
let acceptance: HostAcceptance;

beforeEach(() => {
  folder = freshFolder();
  run = new FakeRun({
    iptables: () => ({}),
    ip6tables: () => ({}),
    ufw: () => ({}),
    'firewall-cmd': () => ({}),
  });
  acceptance = new HostAcceptance({ run, folder });
});

test('Docker: between the interfaces of a network in DOCKER-USER, but not from hub to hub [9.27]', async () => {
  await acceptance.accept(drops('docker-ipv6'));
  const rule = (from: string, to: string) =>
    `DOCKER-USER -i ${from} -o ${to} -m comment --comment powernode -j ACCEPT`;
  const pairs = [
    ['wg-test', 'wg-test'],
    ['wg-test', 'wg-test-2'],
    ['wg-test-2', 'wg-test'],
  ] as const;
  expect(run.log).toEqual(pairs.map(([from, to]) => `ip6tables -w -I ${rule(from, to)}`));
  run.log.length = 0;
  await new HostAcceptance({ run, folder }).takeBack();
  expect(run.log).toEqual(pairs.map(([from, to]) => `ip6tables -w -D ${rule(from, to)}`));
  run.log.length = 0;
  await new HostAcceptance({ run, folder }).takeBack();
  expect(run.log).toEqual([]);
});

test('only what is dropped is accepted: what the owner has let through already is not again [9.27]', async () => {
  const docker = drops('docker-ipv6');
  expect(docker).toHaveLength(3);
  await acceptance.accept(docker.filter(({ path: { iif, oif } }) => iif !== oif));
  expect(run.log).toHaveLength(2);
  expect(run.log.join()).not.toContain('-i wg-test -o wg-test -m');
  run.log.length = 0;
  await acceptance.accept(drops('ufw-ipv6'));
  expect(run.log).toContain('ufw allow in on wg-test-2 comment powernode');
  expect(run.log).toContain('ufw route allow in on wg-test-2 out on wg-test comment powernode');
  expect(run.log).not.toContain('ufw route allow in on wg-test-2 out on wg-test-2 comment powernode');
});

test('ufw: routes between the interfaces, and the port [9.27]', async () => {
  await acceptance.accept(drops('ufw-ipv6'));
  expect(run.log).toContain('ufw route allow in on wg-test out on wg-test comment powernode');
  expect(run.log).toContain('ufw allow 51820/udp comment powernode');
  run.log.length = 0;
  await acceptance.takeBack();
  expect(run.log).toContain('ufw route delete allow in on wg-test out on wg-test');
  expect(run.log).toContain('ufw delete allow 51820/udp');
});

test('firewalld: the interfaces in a zone that forwards, and the port, now and for good [9.27]', async () => {
  await acceptance.accept(drops('firewalld'));
  expect(run.log).toContain('firewall-cmd --quiet --zone=trusted --add-interface=wg-test');
  expect(run.log).toContain('firewall-cmd --quiet --permanent --zone=trusted --add-interface=wg-test');
  expect(run.log).toContain('firewall-cmd --quiet --permanent --add-port=51820/udp');
});

test('a filter of nobody that is known is left alone, and a tool that fails is no failure of the agent [9.27]', async () => {
  expect(await acceptance.accept(drops('tailscale-ipv4'))).toEqual([]);
  const broken = new HostAcceptance({ run: new FakeRun({ ip6tables: () => ({ exitCode: 4 }) }), folder });
  expect(await broken.accept(drops('docker-ipv6'))).toEqual([]);
});
