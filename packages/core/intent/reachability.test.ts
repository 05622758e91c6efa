// Who is asked about: one of several, and what is said when it is none or two.
import { expect, test } from 'vitest';
import { reachabilityDestination, reachabilitySource } from './reachability.ts';

const id = '01890000-0000-7000-8000-00000000aaaa';

test.each([
  [reachabilitySource, 'user_device_id', 'peer_id, address, user_device_id'],
  [reachabilityDestination, 'virtual_ip_id', 'peer_id, virtual_ip_id, address'],
] as const)('one of its members is asked for, and all are named when it is not one', (side, own, all) => {
  for (const given of [{ peer_id: id }, { address: 'fd00::1' }, { [own]: id }]) {
    expect(side.safeParse(given).success).toBe(true);
  }
  for (const given of [
    {},
    { peer_id: id, address: 'fd00::1' },
    { peer_id: id, address: 'fd00::1', [own]: id },
  ]) {
    expect(side.safeParse(given).error?.issues.map(({ message }) => message)).toEqual([
      `give exactly one of ${all}`,
    ]);
  }
});
