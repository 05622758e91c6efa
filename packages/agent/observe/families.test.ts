// Default routes as the kernel lists them.
import { expect, test } from 'vitest';
import { reachableFamilies } from './families.ts';

const ipv4 = `Iface	Destination	Gateway 	Flags	RefCnt	Use	Metric	Mask		MTU	Window	IRTT
eth0	00000000	0101A8C0	0003	0	0	100	00000000	0	0	0
eth0	0001A8C0	00000000	0001	0	0	100	00FFFFFF	0	0	0
`;
const onLink = ipv4.replace(/^eth0\t00000000.*\n/m, '');
const zeros = '0'.repeat(32);
const ipv6 = (flags: string, name: string) =>
  `fe800000000000000000000000000000 40 ${zeros} 00 ${zeros} 00000100 00000001 00000000 00000001 eth0
${zeros} 00 ${zeros} 00 fe800000000000000000000000000001 00000400 00000001 00000000 ${flags} ${name}
`;

function familiesOf(route: string, route6: string) {
  return reachableFamilies((file) => (file.endsWith('ipv6_route') ? route6 : route));
}

test('a family with a default route reaches others, one without or with a refusing one does not [9.29]', () => {
  expect(familiesOf(ipv4, ipv6('00000003', 'eth0'))).toEqual([4, 6]);
  expect(familiesOf(onLink, ipv6('00000003', 'eth0'))).toEqual([6]);
  expect(familiesOf(ipv4, ipv6('00200200', 'lo'))).toEqual([4]);
  expect(familiesOf(ipv4, ipv6('00000003', 'wg-office-1'))).toEqual([4]);
  expect(familiesOf('', '')).toEqual([]);
});
