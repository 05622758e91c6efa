// Sessions of BGP among the connections that are matched against the rules again.
import { entriesOf, networkId, own } from '@powernode/core/compile/firewall/random-rules.fixture';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import { expect, it } from 'vitest';
import { AllowedConnections, isSameAboutConnections } from './allowed.ts';
import { connection, noHostEnds } from './connections.fixture.ts';

const [address] = own;
const neighbor = 'fd00:99::777';
const bgp: readonly EntryValue[] = [
  {
    ...{ kind: 'bgp', key: `bgp/${networkId}`, network_id: networkId, as_number: 65_010 },
    ...{ router_id: '0.0.1.1', host_address: address, role: 'client' },
  },
  {
    ...{ kind: 'bgp_neighbor', key: `bgp_neighbor/${networkId}/p`, network_id: networkId },
    ...{ peer_id: 'p', host_address: neighbor, role: 'reflector' },
  },
];

it('stay where everything else is denied, in both directions, and with neighbors alone', () => {
  const denied = entriesOf({ rules: [], members: [], defaultPolicy: 'drop' });
  const document = nodeDocumentOf(denied, bgp);
  const allowed = new AllowedConnections(document, noHostEnds);
  const allows = (source: string, destination: string, protocol: string, destinationPort: number) =>
    allowed.allows(connection({ source, destination, protocol, destinationPort }));
  expect(allows(address, neighbor, 'tcp', 179)).toBe(true);
  expect(allows(neighbor, address, 'tcp', 179)).toBe(true);
  expect(allows(neighbor, address, 'udp', 4784)).toBe(true);
  expect(allows(neighbor, address, 'tcp', 180)).toBe(false);
  expect(allows(neighbor, address, 'udp', 179)).toBe(false);
  expect(allows('fd00:99::778', address, 'tcp', 179)).toBe(false);
  expect(isSameAboutConnections(document, nodeDocumentOf(denied))).toBe(false);
});
