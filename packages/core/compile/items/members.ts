// Members of the groups that rules name.
import type { EntryValue } from '../../wire/document.ts';
import type { NetworkModel } from '../model.ts';
import type { Member } from './kind.ts';

/** What every node has because a peer or an item is in groups that rules name. */
export function memberEntries(
  network: NetworkModel,
  member: Member,
  isNamed: (tag: string) => boolean,
): EntryValue[] {
  return member.tags.filter(isNamed).map((tag) => ({
    kind: 'member',
    network_id: network.id,
    group: tag,
    addresses: [...member.addresses],
  }));
}
