// Output of `wg` as it was captured from wireguard-tools 1.0.20210914, and what must not be taken for it.
import { describe, expect, test } from 'vitest';
import { parseDump, parseDumpOfAll, parseDumpOfSome } from './dump.ts';

const first = 'MycHPZa6l3SuNs4owPkdG7UW2tcDq07TIW1XPW+cek4=';
const second = 'ADK7ya4ZK7FEZB61x7CWS2mpqnF+oryzFfjBLAxXfD0=';
const privateKey = 'EH2LxIGJENYRbuGCUccSKX+COe5O2mpXNgaip/6xA3k=';
const own = '7Kw8foQg3AfMiE8RGxEjaGTHsHCcjVV3MqtXHR4BISE=';

const captured = [
  `wg-abc\t${privateKey}\t${own}\t51820\toff`,
  `wg-abc\t${first}\t(none)\t203.0.113.5:51820\tfd00::1/128,fd00::2/128\t0\t0\t0\t25`,
  `wg-abc\t${second}\t(none)\t[2001:db8::5]:51820\t::/0\t1795295963\t524\t612\toff`,
  'wg-def\t(none)\t(none)\t38619\toff',
  '',
].join('\n');

const ofOne = captured
  .split('\n')
  .filter((line) => line.startsWith('wg-abc'))
  .map((line) => `${line.slice(7)}\n`)
  .join('');

describe('the dump of all interfaces', () => {
  test('is read in full', () => {
    const devices = parseDumpOfAll(captured, () => true);
    expect([...devices.keys()]).toEqual(['wg-abc', 'wg-def']);
    expect(devices.get('wg-def')).toEqual({ publicKey: null, listenPort: 38619, peers: new Map() });
    const device = devices.get('wg-abc');
    expect(device?.publicKey).toBe(own);
    expect([...(device?.peers.values() ?? [])]).toEqual([
      {
        publicKey: first,
        hasPresharedKey: false,
        endpoint: '203.0.113.5:51820',
        allowedIps: ['fd00::1/128', 'fd00::2/128'],
        lastHandshakeS: 0,
        rxBytes: 0,
        txBytes: 0,
        keepalive: 25,
      },
      {
        publicKey: second,
        hasPresharedKey: false,
        endpoint: '[2001:db8::5]:51820',
        allowedIps: ['::/0'],
        lastHandshakeS: 1795295963,
        rxBytes: 524,
        txBytes: 612,
        keepalive: 0,
      },
    ]);
  });

  test('of interfaces that are not asked for is passed over unread', () => {
    const odd = `tun7\tsomething of another version\n${captured}`;
    expect([...parseDumpOfAll(odd, (name) => name === 'wg-def').keys()]).toEqual(['wg-def']);
  });

  test('of no interface is empty', () => {
    expect(parseDumpOfAll('', () => true).size).toBe(0);
  });
});

test('the dump of one interface is the same without its name', () => {
  expect(parseDump(ofOne)).toEqual(parseDumpOfAll(captured, () => true).get('wg-abc'));
});

test('after a change to some peers only their lines are read', () => {
  const before = parseDump(ofOne);
  const moved = ofOne.replace('203.0.113.5:51820', '198.51.100.1:9').replace('524\t612', '999\t999');
  const after = parseDumpOfSome(moved, before, new Set([first]));
  expect(after.peers.get(first)?.endpoint).toBe('198.51.100.1:9');
  expect(after.peers.get(second)).toBe(before.peers.get(second));
  const gone = ofOne
    .split('\n')
    .filter((line) => !line.startsWith(second))
    .join('\n');
  expect([...parseDumpOfSome(gone, before, new Set([second])).peers.keys()]).toEqual([first]);
  const fresh = parseDumpOfSome(ofOne, { ...before, peers: new Map() }, new Set([second]));
  expect([...fresh.peers.keys()]).toEqual([second]);
});

describe('what is not a dump is refused, with its keys left out', () => {
  test.each([
    ['a field less', ofOne.replace('\toff\n', '\n')],
    ['a cut line', ofOne.slice(0, -5)],
    ['a port that is no number', ofOne.replace('51820\toff', 'many\toff')],
    ['an endpoint without a port', ofOne.replace('203.0.113.5:51820', '203.0.113.5')],
    ['a key that is too short', ofOne.replace(first, first.slice(1))],
    ['a negative counter', ofOne.replace('524', '-524')],
  ])('%s', (_what, text) => {
    let message = '';
    try {
      parseDump(text);
    } catch (error) {
      message = String(error);
    }
    expect(message).toContain('wg show printed "');
    for (const key of [privateKey, own, second]) expect(message).not.toContain(key);
  });
});
