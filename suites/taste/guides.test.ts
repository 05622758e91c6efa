// What the guides for operations say is what the code has: the unit, metrics, log fields, messages, settings, ports.
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import path from 'node:path';
import * as limits from '@powernode/core/limits/overlay';
import { nodeProblemTable } from '@powernode/core/wire/node-problems';
import { expect, test } from 'vitest';
import { parse } from 'yaml';
import { settingSpecs } from '../../packages/platform/config/settings.ts';
import { metricNames } from '../../packages/platform/observe/metric-table.ts';

const root = path.join(import.meta.dirname, '..', '..');
const read = (file: string) => readFileSync(path.join(root, file), 'utf8');
const guide = (name: string) => read(`docs/how-to/${name}.md`);

/** Everything that can be said by the programs. */
const sources = execFileSync('git', ['ls-files', 'packages'], { cwd: root, encoding: 'utf8' })
  .split('\n')
  .filter((file) => /\.ts$/.test(file) && !/\.(test|fixture)\.ts$|\/testing\//.test(file))
  .map(read)
  .join('\n');

test('the unit starts the platform with settings that there are', () => {
  const unit = read('examples/systemd/powernode.service');
  const [, line = ''] = /^ExecStart=\S+\/powernode up (.+)$/m.exec(unit) ?? [];
  const flags = [...line.matchAll(/--([a-z-]+) /g)].map((match) => match[1] ?? '');
  const known: readonly (string | null)[] = Object.values(settingSpecs).map(({ flag }) => flag);
  expect(flags.length).toBeGreaterThan(2);
  expect(flags.filter((flag) => !known.includes(flag))).toEqual([]);
  const sections = [...unit.matchAll(/^\[(\w+)\]$/gm)].map((match) => match[1]);
  expect(sections).toEqual(['Unit', 'Service', 'Install']);
});

test('alerts are about metrics that there are', () => {
  const [, block = ''] = /^```yaml\n([^]*?)^```$/m.exec(guide('monitoring')) ?? [];
  const { groups } = parse(block) as { groups: { rules: { alert: string; expr: string }[] }[] };
  const rules = groups.flatMap((group) => group.rules);
  expect(rules.length).toBeGreaterThan(5);
  const named = rules.flatMap(({ expr }) => expr.match(/powernode_\w+/g) ?? []);
  const base = named.map((name) => name.replace(/_(bucket|count|sum)$/, ''));
  expect(base.filter((name) => !(metricNames as readonly string[]).includes(name))).toEqual([]);
});

test('ports and limits are the ones of the code', () => {
  const production = guide('production');
  expect(production).toContain(`| ${limits.listenPortFirst}–${limits.listenPortLast} |`);
  expect(production).toContain(`${limits.peersPerNetworkMax.toLocaleString('en-US')} peers per network`);
  expect(production).toContain(
    `${limits.networksPerAccountMax.toLocaleString('en-US')} networks per account`,
  );
  expect(production).toContain(`${limits.transitHubsMax} hubs used by each spoke`);
});

test('messages of the troubleshooting guide are ones that the programs say', () => {
  const rows = [...guide('troubleshooting').matchAll(/^\| (`.+`.*?) \| /gm)].map((match) => match[1] ?? '');
  const quoted = rows.flatMap((row) => [...row.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? ''));
  const parts = quoted.flatMap((text) => text.split('…')).map((text) => text.trim());
  const said = parts.filter((text) => text.length > 2);
  expect(said.length).toBeGreaterThan(15);
  // curl says this one.
  const ours = said.filter((text) => !text.startsWith('SSL: '));
  expect(ours.filter((text) => !sources.toLowerCase().includes(text.toLowerCase()))).toEqual([]);
});

test('problems that guides name are in the table of problems', () => {
  const pages = ['troubleshooting', 'local-firewall', 'mtu', 'networks-and-peers'].map(guide).join('\n');
  const named = [
    ...pages.matchAll(/`(host_firewall_\w+|path_mtu_\w+|\w+_failed|not_converging|change_rolled_back)`/g),
  ];
  expect(named.length).toBeGreaterThan(8);
  expect(
    named.map((match) => match[1] ?? '').filter((code) => !Object.hasOwn(nodeProblemTable, code)),
  ).toEqual([]);
});
