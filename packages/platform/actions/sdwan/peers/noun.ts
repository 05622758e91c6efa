// Peers, as the shared parts know them.
import type { Noun } from '../../context.ts';
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
} satisfies Noun;
