// What the schema of a lab file cannot say: that names are unique, refer to something, and fit each other.
import { parseAddress } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import { type LabSpec, publicSegment, type SpecProblem } from './spec.ts';

export function checkSpec(spec: LabSpec): SpecProblem[] {
  return [
    ...uniqueNames(spec),
    ...nats(spec),
    ...spec.hosts.flatMap((_, index) => host(spec, index)),
    ...spec.networks.flatMap((_, index) => network(spec, index)),
    ...addresses(spec),
  ];
}

const kinds = ['platforms', 'lans', 'nats', 'hosts'] as const;

/** One space of names for everything that `cut A B` can name. */
function uniqueNames(spec: LabSpec): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const seen = new Map<string, string>([[publicSegment, 'the public segment']]);
  for (const kind of kinds) {
    for (const [index, { name }] of spec[kind].entries()) {
      const first = seen.get(name);
      if (first !== undefined) {
        problems.push({
          path: [kind, index, 'name'],
          message: `"${name}" is already the name of ${first}; names are unique in a lab`,
        });
      }
      seen.set(name, `${kind}[${index}]`);
    }
  }
  const networks = new Set<string>();
  for (const [index, { name }] of spec.networks.entries()) {
    if (networks.has(name))
      problems.push({ path: ['networks', index, 'name'], message: `"${name}" names two networks` });
    networks.add(name);
  }
  return problems;
}

function lanNames(spec: LabSpec): string[] {
  return spec.lans.map((lan) => lan.name);
}

function unknownSegment(spec: LabSpec, segment: string): string {
  const known = [publicSegment, ...lanNames(spec)].join(', ');
  return `"${segment}" is neither ${publicSegment} nor a LAN of this lab (there are: ${known})`;
}

function nats(spec: LabSpec): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const served = new Map<string, string>();
  for (const [index, nat] of spec.nats.entries()) {
    const at = (key: string, message: string) => problems.push({ path: ['nats', index, key], message });
    if (!lanNames(spec).includes(nat.lan)) at('lan', `"${nat.lan}" is no LAN of this lab`);
    const other = served.get(nat.lan);
    if (other !== undefined) at('lan', `"${nat.lan}" already has the NAT "${other}"; a LAN has one way out`);
    served.set(nat.lan, nat.name);
    if (nat.on !== publicSegment && !lanNames(spec).includes(nat.on)) at('on', unknownSegment(spec, nat.on));
    if (!endsInPublic(spec, nat.name)) at('on', `"${nat.on}" does not end in the public segment`);
  }
  return problems;
}

/** Follows a NAT outwards; false when the way ends in a LAN without a NAT, or goes round. */
function endsInPublic(spec: LabSpec, natName: string): boolean {
  let nat = spec.nats.find((candidate) => candidate.name === natName);
  for (let step = 0; nat !== undefined && step <= spec.nats.length; step++) {
    if (nat.on === publicSegment) return true;
    const { on }: { on: string } = nat;
    nat = spec.nats.find((candidate) => candidate.lan === on);
  }
  return false;
}

function platformProblem(spec: LabSpec, platform: string | undefined): string | null {
  if (platform === undefined) {
    return spec.platforms.length > 1 ? 'platform is needed, because the lab has more than one' : null;
  }
  if (spec.platforms.some((candidate) => candidate.name === platform)) return null;
  return `"${platform}" is no platform of this lab`;
}

function host(spec: LabSpec, index: number): SpecProblem[] {
  const item = spec.hosts[index];
  if (item === undefined) return [];
  const problems: SpecProblem[] = [];
  const segments = [publicSegment, ...lanNames(spec)];
  for (const segment of item.on) {
    if (!segments.includes(segment))
      problems.push({ path: ['hosts', index, 'on'], message: unknownSegment(spec, segment) });
  }
  if (new Set(item.on).size < item.on.length)
    problems.push({ path: ['hosts', index, 'on'], message: 'the same segment is named twice' });
  const gateway = gatewayProblem(spec, item);
  if (gateway !== null) problems.push({ path: ['hosts', index, 'gateway'], message: gateway });
  if (item.agent === 'none') {
    if (item.platform !== undefined)
      problems.push({
        path: ['hosts', index, 'platform'],
        message: 'a host without an agent has no platform',
      });
  } else {
    const wrong = platformProblem(spec, item.platform);
    if (wrong !== null) problems.push({ path: ['hosts', index, 'platform'], message: wrong });
  }
  return [...problems, ...families(spec, index)];
}

function gatewayProblem(spec: LabSpec, item: LabSpec['hosts'][number]): string | null {
  if (item.gateway === undefined) return null;
  const gateway = spec.hosts.find(({ name }) => name === item.gateway && name !== item.name);
  if (gateway === undefined) return `"${item.gateway}" is no other host of this lab`;
  const lans = item.on.filter((segment) => segment !== publicSegment);
  return gateway.on.some((segment) => lans.includes(segment))
    ? null
    : `"${item.gateway}" is on no LAN of "${item.name}"`;
}

/** A host that speaks IPv6 only needs it on each of its segments; every segment has IPv4. */
function families(spec: LabSpec, index: number): SpecProblem[] {
  const item = spec.hosts[index];
  if (item === undefined || item.families.includes('ipv4')) return [];
  const without = item.on.filter(
    (segment) =>
      spec.lans.find((lan) => lan.name === segment)?.prefix6 === undefined && segment !== publicSegment,
  );
  return without.map((segment) => ({
    path: ['hosts', index, 'families'],
    message: `"${segment}" has no IPv6; give the LAN a prefix6`,
  }));
}

function network(spec: LabSpec, index: number): SpecProblem[] {
  const item = spec.networks[index];
  if (item === undefined) return [];
  const problems: SpecProblem[] = [];
  const at = (key: string | number, message: string) => {
    const path = typeof key === 'number' ? ['networks', index, 'hosts', key] : ['networks', index, key];
    problems.push({ path, message });
  };
  if (spec.platforms.length === 0) at('platform', 'a network needs a platform, and this lab has none');
  const wrong = platformProblem(spec, item.platform);
  if (wrong !== null) at('platform', wrong);
  for (const [position, name] of item.hosts.entries()) {
    const member = spec.hosts.find((candidate) => candidate.name === name);
    if (member === undefined) at(position, `"${name}" is no host of this lab`);
    else if (member.agent === 'none') at(position, `"${name}" has no agent, so it can be in no network`);
    else if (platformOf(spec, member) !== platformOf(spec, item))
      at(position, `"${name}" belongs to another platform than the network`);
    if (item.hosts.indexOf(name) < position) at(position, `"${name}" is named twice`);
  }
  return [...problems, ...declaredLans(spec, index)];
}

function declaredLans(spec: LabSpec, index: number): SpecProblem[] {
  const item = spec.networks[index];
  if (item === undefined) return [];
  const seen = new Set<string>();
  return item.lan_subnets.flatMap(({ host: name, lan }, position): SpecProblem[] => {
    const at = (key: 'host' | 'lan', message: string) => [
      { path: ['networks', index, 'lan_subnets', position, key], message },
    ];
    const known = lanNames(spec);
    if (!item.hosts.includes(name)) return at('host', `"${name}" is no host of the network`);
    if (!known.includes(lan)) {
      return at('lan', `"${lan}" is no LAN of this lab (there are: ${known.join(', ') || 'none'})`);
    }
    const router = spec.hosts.find((candidate) => candidate.name === name);
    if (router?.on.includes(lan) === false) return at('lan', `"${name}" is not on "${lan}"`);
    const hasIpv6 = spec.lans.some((candidate) => candidate.name === lan && candidate.prefix6 !== undefined);
    if (item.ipv4_prefix === null && !hasIpv6) {
      return at('lan', `the network has no IPv4 and "${lan}" no IPv6; give the LAN a prefix6`);
    }
    const pair = `${name} ${lan}`;
    if (seen.has(pair)) return at('lan', `"${lan}" is declared twice for "${name}"`);
    seen.add(pair);
    return [];
  });
}

/** The platform of a host or a network; the only one when none is named. */
export function platformOf(spec: LabSpec, item: { readonly platform?: string | undefined }): string | null {
  return item.platform ?? spec.platforms[0]?.name ?? null;
}

function addresses(spec: LabSpec): SpecProblem[] {
  const problems: SpecProblem[] = [];
  const seen = new Set<string>();
  const block = spec.public === undefined ? null : parsePrefix(spec.public.prefix4);
  for (const [index, { address }] of spec.platforms.entries()) {
    if (address === undefined) continue;
    const path = ['platforms', index, 'address'];
    const parsed = parseAddress(address);
    if (block === null)
      problems.push({ path, message: 'an address is only possible when the file says public.prefix4' });
    else if (parsed !== null && !contains(block, parsed))
      problems.push({ path, message: `${address} is not inside public.prefix4` });
    if (seen.has(address)) problems.push({ path, message: `${address} is given twice` });
    seen.add(address);
  }
  return problems;
}
