// What an entry of a node's document means, in one plain sentence: for dry runs, which show what a change would do.
import type { EntryValue, RuleEntry, RuleSide } from '@powernode/core/wire/document';

export function describeEntry(value: EntryValue): string {
  switch (value.kind) {
    case 'interface':
      return `interface ${value.name} with ${value.addresses.join(', ') || 'no address'}, MTU ${value.mtu}`;
    case 'peer': {
      const place = value.endpoint === null ? 'waiting to be called' : `called at ${value.endpoint}`;
      const carried = value.allowed_ips.join(', ') || 'nothing';
      return `peer ${value.public_key} on ${value.interface}, ${place}, carries ${carried}`;
    }
    case 'route':
      return `route to ${value.destination} by ${value.via.join(', else ')}`;
    case 'forwarding':
      return `forward between the peers of wg-${value.handle}`;
    case 'probe': {
      const why = {
        path: 'whether the other end is there',
        forwarding: 'whether that hub forwards to the others',
        direct: 'whether that peer is met without a hub',
      };
      return `probe ${value.target} through ${value.interface}: ${why[value.purpose]}`;
    }
    case 'watch':
      return `watch whether the peer at ${value.address} is heard, for a virtual IP that it holds or may hold`;
    case 'virtual_ip': {
      const lease =
        value.lease === null
          ? 'nobody else may hold it'
          : `as long as ${value.lease.enough} of ${value.lease.witnesses.length + 1} witnesses hear this node`;
      return `answer for ${value.addresses.join(' and ')} on ${value.interface}, ${lease}`;
    }
    case 'anycast':
      return `bring packets for ${value.destinations.join(' and ')} to the first of ${counted(value.by.length, 'peer')} that is alive`;
    case 'firewall':
      return `judge the packets of ${value.prefixes.join(' and ')} by its rules, and ${value.default_policy} what comes in and no rule names`;
    case 'rule':
      return describeRule(value);
    case 'member':
      return `count ${value.addresses.join(' and ')} among the peers and devices tagged ${value.group}`;
    case 'device':
      return `judge packets of the device at ${value.addresses.join(' and ')} by the rules on its behalf`;
    case 'port_mapping': {
      const from = `${value.protocol} port ${value.external_port} of ${value.external_address}`;
      const allowed = value.source_cidrs.join(', ') || 'everywhere';
      return `open ${from} to ${value.target_address}, port ${value.target_port}, for callers from ${allowed}`;
    }
  }
}

function describeRule(rule: RuleEntry): string {
  const where = { ingress: 'where it arrives', egress: 'where it begins', both: 'at both ends' }[
    rule.direction
  ];
  const what = rule.protocol === 'any' ? 'everything' : rule.protocol;
  return `${rule.action} ${what}${portsOf(rule)} from ${describeSide(rule.from)} to ${describeSide(rule.to)}, ${where}`;
}

function portsOf({ ports }: RuleEntry): string {
  if (ports === null) return '';
  const [first, last] = ports;
  return first === last ? ` to port ${first}` : ` to ports ${first} to ${last}`;
}

function describeSide(side: RuleSide): string {
  switch (side.kind) {
    case 'host':
      return side.addresses.join(' and ');
    case 'group':
      return `everything tagged ${side.group}`;
    case 'cidr':
      return side.cidr;
    case 'all':
      return 'everywhere';
  }
}

function counted(count: number, noun: string): string {
  return count === 1 ? `one ${noun}` : `${count} ${noun}s`;
}
