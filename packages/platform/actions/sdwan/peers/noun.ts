// Peers, as the shared parts know them.
import { sql } from 'kysely';
import type { Noun } from '../../context.ts';
import { addressesInRows } from '../addresses-in-rows.ts';
import { rowsInNetwork } from '../rows-in-network.ts';
import { peerNames } from './peer-names.ts';
import { peerHandlers } from './peers.ts';
import { changePeerRole } from './role-change.ts';

export const peerNoun = {
  kind: 'peer',
  table: 'peers',
  handlers: { ...peerHandlers, changePeerRole },
  names: peerNames,
  isReferredTo: true,
  inNetwork: rowsInNetwork('peers', 'peer'),
  addresses: addressesInRows({ table: 'peers', ipv6: 'host_address', called: sql`'the peer ' || had.id` }),
} satisfies Noun;
