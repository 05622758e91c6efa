// A link to whatever an answer names: a peer, a rule, a virtual IP, a port mapping, a device, the network.
import { Link } from '@tanstack/react-router';
import type { NetworkSearch, NetworkView, SheetNoun } from '../../app/search.ts';

const views: Readonly<Record<SheetNoun, NetworkView>> = {
  peer: 'peers',
  virtual_ip: 'virtual-ips',
  firewall_rule: 'firewall',
  port_mapping: 'port-mappings',
  user_device: 'devices',
  bgp_session: 'routing',
  route_policy: 'routing',
};

export interface NamedObject {
  readonly type: string;
  readonly id: string;
  readonly name: string;
}

export interface ObjectLinkProps {
  readonly networkId: string;
  readonly object: NamedObject;
  readonly tabIndex?: 0 | -1;
  /** What is open over the page closes when one goes elsewhere. */
  readonly onFollow?: () => void;
}

/** What has no page of its own is only named. */
export function ObjectLink({ networkId, object, tabIndex, onFollow }: ObjectLinkProps) {
  const search = searchOf(object);
  if (search === null) return <code>{object.name}</code>;
  return (
    <Link
      to="/networks/$networkId"
      params={{ networkId }}
      search={search}
      tabIndex={tabIndex}
      onClick={onFollow}
    >
      {object.name}
    </Link>
  );
}

function searchOf({ type, id }: NamedObject): NetworkSearch | null {
  if (type === 'network') return { view: 'firewall' };
  return Object.hasOwn(views, type) ? { view: views[type as SheetNoun], [type]: id } : null;
}
