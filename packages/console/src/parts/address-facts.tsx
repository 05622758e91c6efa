// The addresses of one object as facts, to be copied.
import { Copyable } from './copy.tsx';
import type { Fact } from './facts.tsx';

export function addressFacts(address: string, ipv4Address: string | null): readonly Fact[] {
  return [
    ['Address', <Copyable key="a" text={address} label="the address" />],
    [
      'IPv4 address',
      ipv4Address === null ? null : <Copyable key="4" text={ipv4Address} label="the IPv4 address" />,
    ],
  ];
}
