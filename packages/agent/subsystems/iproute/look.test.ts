// Output of `ip` as it was captured from iproute2 6.1, and what is taken from it.
import { describe, expect, test } from 'vitest';
import { parseLook } from './look.ts';

const lo =
  '{"ifindex":1,"ifname":"lo","flags":["LOOPBACK","UP","LOWER_UP"],"mtu":65536,"qdisc":"noqueue","operstate":"UNKNOWN","group":"default","txqlen":1000,"link_type":"loopback","address":"00:00:00:00:00:00","broadcast":"00:00:00:00:00:00","promiscuity":0,"allmulti":0,"min_mtu":0,"max_mtu":0,"num_tx_queues":1,"num_rx_queues":1,"addr_info":[{"family":"inet","local":"127.0.0.1","prefixlen":8,"scope":"host","label":"lo","valid_life_time":4294967295,"preferred_life_time":4294967295},{"family":"inet6","local":"::1","prefixlen":128,"scope":"host","valid_life_time":4294967295,"preferred_life_time":4294967295}]}';

/** An interface of wireguard-go as it was captured, with the alias and the addresses given. */
function tun(name: string, alias: string | null, addresses: string): string {
  const alias_ = alias === null ? '' : `"ifalias":"${alias}",`;
  return `{"ifindex":2,"ifname":"${name}","flags":["POINTOPOINT","MULTICAST","NOARP","UP","LOWER_UP"],"mtu":1420,"qdisc":"pfifo_fast","operstate":"UNKNOWN","group":"default","txqlen":500,"link_type":"none","promiscuity":0,"allmulti":0,"min_mtu":68,"max_mtu":65535,"linkinfo":{"info_kind":"tun","info_data":{"type":"tun","pi":true,"vnet_hdr":false,"multi_queue":false,"persist":false}},"num_tx_queues":1,"num_rx_queues":1,${alias_}"addr_info":[${addresses}]}`;
}

const overlayAddress =
  '{"family":"inet6","local":"fd00::100","prefixlen":128,"scope":"global","nodad":true,"valid_life_time":4294967295,"preferred_life_time":4294967295}';
const linkLocal = '{"family":"inet6","local":"fe80::1","prefixlen":64,"scope":"link"}';
const routes =
  '[{"type":"unicast","dst":"fd00::7","dev":"wg-abc","table":"main","scope":"global","metric":512,"flags":[],"pref":"medium"},{"type":"unicast","dst":"fd00::/64","dev":"wg-abc","table":"main","scope":"global","prefsrc":"fd00::100","metric":512,"flags":[],"pref":"medium"},{"dst":"default","dev":"eth0","table":"77","metric":1,"flags":[]}]';

function look(links: readonly string[], routeLine = routes, marked: readonly string[] = []) {
  return parseLook(`[${links.join(',')}]\n${routeLine}\n`, (name) => marked.includes(name));
}

describe('interfaces', () => {
  test('of the agent are known by their alias', () => {
    const { interfaces } = look([lo, tun('wg-abc', 'powernode-agent', `${overlayAddress},${linkLocal}`)]);
    expect([...interfaces.values()]).toEqual([
      {
        name: 'wg-abc',
        ours: true,
        prepared: true,
        grouped: false,
        flavour: 'userspace',
        mtu: 1420,
        up: true,
        addresses: ['fd00::100/128'],
      },
    ]);
  });

  test('that were just made are the agent’s, and not yet prepared', () => {
    const { interfaces } = look([tun('wg-abc', 'powernode-agent:new', '')]);
    expect(interfaces.get('wg-abc')).toMatchObject({ ours: true, prepared: false });
  });

  test('without an alias are the agent’s only if their process says so', () => {
    expect(look([tun('wg-abc', null, '')]).interfaces.get('wg-abc')?.ours).toBe(false);
    expect(look([tun('wg-abc', null, '')], routes, ['wg-abc']).interfaces.get('wg-abc')?.ours).toBe(true);
  });

  test('of somebody else stay somebody else’s, whatever their name', () => {
    const { interfaces } = look([tun('wg-abc', 'my own tunnel', '')], routes, ['wg-abc']);
    expect(interfaces.get('wg-abc')?.ours).toBe(false);
    const bridge = tun('wg-abc', 'powernode-agent', '').replace('"info_kind":"tun"', '"info_kind":"bridge"');
    expect(look([bridge]).interfaces.get('wg-abc')?.ours).toBe(false);
  });

  test('with names of another shape are not looked at', () => {
    expect(look([lo, tun('wg0_home', 'powernode-agent', '')]).interfaces.size).toBe(0);
  });
});

describe('routes', () => {
  test('are by destination, with their length written out, and of the main table only', () => {
    const { routes: found } = look([lo]);
    expect(Object.fromEntries(found)).toEqual({
      'fd00::7/128': [{ destination: 'fd00::7/128', device: 'wg-abc', source: null, metric: 512 }],
      'fd00::/64': [{ destination: 'fd00::/64', device: 'wg-abc', source: 'fd00::100', metric: 512 }],
    });
  });

  test('may be none', () => {
    expect(look([lo], '[]').routes.size).toBe(0);
    expect(look([lo], '').routes.size).toBe(0);
  });
});

test('what cannot be read is refused and quoted', () => {
  expect(() => parseLook('nonsense\n[]\n', () => false)).toThrow(
    /ip printed links that cannot be read.*nonsense/,
  );
  expect(() => parseLook('[{"ifname":"x"}]\n[]\n', () => false)).toThrow(/0\.flags/);
  expect(() => look([lo], '[{"device":"x"}]')).toThrow(/ip printed routes that cannot be read \(0\.dst\)/);
});

test('routes that end the look into a table are read as they are written, in both families', () => {
  const line =
    '[{"type":"throw","dst":"192.168.1.0/24","table":"1342177281","scope":"global","metric":512,"flags":[]},{"type":"throw","dst":"fd00:7::/64","dev":"lo","table":"1342177281","scope":"global","metric":512,"flags":[],"pref":"medium"}]';
  expect([...look([lo], line).routes.values()].flat()).toEqual([
    { destination: '192.168.1.0/24 table 1342177281', device: 'throw', source: null, metric: 512 },
    { destination: 'fd00:7::/64 table 1342177281', device: 'throw', source: null, metric: 512 },
  ]);
});
