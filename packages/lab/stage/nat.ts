// The rulesets of the two kinds of NAT, as text for nft. Text only; who loads it is the fabric.
import type { NatPlan } from '../plan/plan.ts';

/** Mappings live so long after the last packet from inside; conntrack's own for a stream is 120 s. */
const mappingSeconds = 300;

/** Both kinds let in only what answers something that went out. */
const filter = `  chain lab_forward {
    type filter hook forward priority filter; policy drop;
    ct state established,related accept
    iifname "lan" oifname "wan" accept
  }
  chain lab_input {
    type filter hook input priority filter; policy drop;
    ct state established,related accept
    iifname { "lo", "lan" } accept
  }`;

export function natRuleset(nat: NatPlan): string {
  const translation = nat.kind === 'cone' ? cone(nat.wan.address4) : symmetric;
  return `table ip lab_nat
delete table ip lab_nat
table ip lab_nat {
${filter}
${translation}
}
`;
}

/**
 * Endpoint-independent mapping, address- and port-dependent filtering (RFC 4787), which most home routers do.
 * Masquerade alone keeps a free port, but gives a second host behind the same NAT another outer port for each
 * destination; therefore the port that an inner socket got first is remembered and used for all destinations.
 */
function cone(outside: string): string {
  return `  map lab_mapping {
    type ipv4_addr . inet_service : inet_service
    flags dynamic,timeout
    timeout ${mappingSeconds}s
    size 65535
  }
  set lab_taken {
    type inet_service
    flags dynamic,timeout
    timeout ${mappingSeconds}s
    size 65535
  }
  chain lab_source {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" meta l4proto udp snat ip to ${outside} : ip saddr . udp sport map @lab_mapping
    oifname "wan" udp sport @lab_taken masquerade fully-random
    oifname "wan" masquerade
  }
  chain lab_learn {
    type filter hook postrouting priority srcnat + 10; policy accept;
    oifname "wan" ip protocol udp update @lab_mapping { ct original ip saddr . ct original proto-src : udp sport }
    oifname "wan" ip protocol udp update @lab_taken { udp sport }
  }`;
}

/** Another outer port for every destination: carriers, and companies that mean it. */
const symmetric = `  chain lab_source {
    type nat hook postrouting priority srcnat; policy accept;
    oifname "wan" masquerade fully-random
  }`;
