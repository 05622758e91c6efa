// What a lab file may say, and how it is told that something is wrong.
import { readdirSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { expect, test } from 'vitest';
import { readSpec } from './read.ts';

const read = (text: string) => readSpec({ path: 'lab.yaml', text });

test('every example is a lab', () => {
  const folder = path.resolve(import.meta.dirname, '../../../examples/labs');
  const files = readdirSync(folder).filter((file) => file.endsWith('.yaml'));
  expect(files).toContain('quickstart.yaml');
  for (const file of files) {
    const text = readFileSync(path.join(folder, file), 'utf8');
    expect(readSpec({ path: file, text }).name).not.toBe('');
  }
});

test('a short file is filled with defaults', () => {
  expect(read('name: a\nhosts: [{ name: h, on: public }]')).toEqual({
    name: 'a',
    platforms: [],
    lans: [],
    nats: [],
    hosts: [{ name: 'h', on: ['public'], agent: 'run', families: ['ipv4', 'ipv6'], role: 'spoke' }],
    networks: [],
  });
});

test.each([
  ['name: [', 'lab.yaml is not YAML'],
  ['name: A', 'lab.yaml:1: name: must be lower-case letters, digits and -, from a letter on (written: "A")'],
  ['name: a\ncolour: red', 'lab.yaml:2: colour: there is no such setting (written: "red")'],
  [
    'name: a\nhosts:\n  - { name: h, on: ofice }',
    'lab.yaml:3: hosts[0].on: "ofice" is neither public nor a LAN of this lab (there are: public) (written: "ofice")',
  ],
  ['name: a\nhosts: [{ name: h }]', 'lab.yaml:2: hosts[0].on:'],
  [
    'name: a\nlans: [{ name: l }]\nhosts: [{ name: h, on: l, families: [ipv6] }]',
    'lab.yaml:3: hosts[0].families: "l" has no IPv6; give the LAN a prefix6',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nhosts: [{ name: h, on: public, agent: none, platform: p }]',
    'hosts[0].platform: a host without an agent has no platform',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nhosts: [{ name: h, on: public, agent: none }]\nnetworks: [{ name: n, hosts: [h] }]',
    'networks[0].hosts[0]: "h" has no agent, so it can be in no network',
  ],
  ['name: a\nhosts: [{ name: public, on: public }]', '"public" is already the name of the public segment'],
  ['name: a\nlans: [{ name: l, prefix4: 10.0.0.1/24 }]', 'lans[0].prefix4: must be an IPv4 prefix'],
  ['name: a\nlans: [{ name: l, prefix4: 10.0.0.0/25 }]', 'length 24 or shorter'],
  ['name: a\nnats: [{ name: n, kind: full, lan: l }]', 'nats[0].kind:'],
  ['name: a\nnats: [{ name: n, kind: cone, lan: l }]', 'nats[0].lan: "l" is no LAN of this lab'],
  [
    'name: a\nlans: [{ name: l }, { name: m }]\nnats: [{ name: n, kind: cone, lan: l, on: m }]',
    'nats[0].on: "m" does not end in the public segment',
  ],
  [
    'name: a\nlans: [{ name: l }]\nnats: [{ name: n, kind: cone, lan: l }, { name: o, kind: cone, lan: l }]',
    'nats[1].lan: "l" already has the NAT "n"; a LAN has one way out',
  ],
  [
    'name: a\nplatforms: [{ name: p }, { name: q }]\nhosts: [{ name: h, on: public }]',
    'hosts[0].platform: platform is needed, because the lab has more than one',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: public }, { name: i, on: [public, l] }]\nnetworks:\n  - name: n\n    hosts: [h]\n    lan_subnets: [{ host: h, lan: l }]',
    'lab.yaml:8: networks[0].lan_subnets[0].lan: "h" is not on "l"',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: [public, l] }, { name: i, on: [public, l] }]\nnetworks: [{ name: n, hosts: [h], lan_subnets: [{ host: i, lan: l }, { host: h, lan: public }] }]',
    'networks[0].lan_subnets[1].lan: "public" is no LAN of this lab (there are: l)',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: [public, l] }, { name: i, on: [public, l] }]\nnetworks: [{ name: n, hosts: [h], lan_subnets: [{ host: i, lan: l }] }]',
    'networks[0].lan_subnets[0].host: "i" is no host of the network',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: [public, l] }]\nnetworks: [{ name: n, hosts: [h], lan_subnets: [{ host: h, lan: l }, { host: h, lan: l }] }]',
    '"l" is declared twice for "h"',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: [public, l] }]\nnetworks: [{ name: n, hosts: [h], ipv4_prefix: null, lan_subnets: [{ host: h, lan: l }] }]',
    'the network has no IPv4 and "l" no IPv6; give the LAN a prefix6',
  ],
  [
    'name: a\nplatforms: [{ name: p }]\nlans: [{ name: l }]\nhosts: [{ name: h, on: [public, l] }]\nnetworks: [{ name: n, hosts: [h], lan_subnets: [{ host: h, lan: l, preference: -1 }] }]',
    'networks[0].lan_subnets[0].preference:',
  ],
  ['name: a\nnetworks: [{ name: n, hosts: [h] }]', 'a network needs a platform, and this lab has none'],
  [
    'name: a\nplatforms: [{ name: p }]\nnetworks: [{ name: n, hosts: [h] }]',
    'networks[0].hosts[0]: "h" is no host of this lab (written: "h")',
  ],
  [
    'name: a\nplatforms: [{ name: p, address: 192.0.2.1 }]',
    'only possible when the file says public.prefix4',
  ],
])('%s', (text, complaint) => {
  expect(() => read(text)).toThrow(complaint);
});

test('all complaints come at once', () => {
  expect(() => read('name: a\nhosts: [{ name: h, on: x }, { name: h, on: y }]')).toThrow(
    /hosts\[1\]\.name[^]*hosts\[0\]\.on[^]*hosts\[1\]\.on/,
  );
});
