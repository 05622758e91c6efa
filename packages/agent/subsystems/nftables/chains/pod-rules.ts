// Pods of a cluster on this machine. They are filtered as LANs are (lan-chains.ts). Beyond that: what the cluster forwards
// for its pods is not this table's to drop, and packets of pods keep their addresses in the overlay.
import type { Firewalls } from '@powernode/core/compile/firewall/compile';
import { familyOf, withoutLength } from '@powernode/core/net/address';
import { contains, parsePrefix } from '@powernode/core/net/prefix';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { evaluationChain, networkSet, overlaySet, words } from './names.ts';

export interface PodsIntent {
  readonly handle: string;
  /** What the slices of all nodes are inside of. */
  readonly prefix: string;
  /** Of this machine; at least one. */
  readonly slices: readonly string[];
  /** This machine's address of the same family in the network; null: it has none. */
  readonly own: string | null;
  /** That, and virtual IPs of the network that it holds. */
  readonly local: readonly string[];
}

/** Of networks in which this machine has a slice. */
export function podsIntentsOf(document: NodeDocument): PodsIntent[] {
  const entries = [...document.all('pods').values()].sort((a, b) => (a.handle < b.handle ? -1 : 1));
  return entries.flatMap(({ network_id: id, handle, prefix: text, interface: leaf }) => {
    const prefix = parsePrefix(text);
    const slices = document.inNetwork('lan', id).flatMap((lan) => {
      const slice = parsePrefix(lan.prefix);
      return prefix !== null && slice !== null && contains(prefix, slice) ? [lan.prefix] : [];
    });
    if (slices.length === 0) return [];
    const addresses = document.get('interface', leaf)?.addresses ?? [];
    const own = addresses.find((address) => familyOf(address) === familyOf(text));
    const virtual = document.inNetwork('virtual_ip', id).flatMap((one) => one.addresses);
    const local = [...(own === undefined ? [] : [own]), ...virtual].filter(
      (address) => familyOf(address) === familyOf(text),
    );
    return [
      {
        handle,
        prefix: text,
        slices: slices.sort(),
        own: own === undefined ? null : withoutLength(own),
        local: local.map(withoutLength).sort(),
      },
    ];
  });
}

/**
 * In the forward chain, before what closes a machine that forwards only because the agent made it: between pods of this
 * machine, and between them and everything else that is no overlay, the cluster's own rules decide.
 */
export function podForwardRules(pods: readonly PodsIntent[]): string[] {
  return pods.flatMap(({ prefix, slices }) => {
    const { header } = words[familyOf(prefix)];
    const outside = `iifname != @${overlaySet} oifname != @${overlaySet} ${header}`;
    const own = `{ ${slices.join(', ')} }`;
    return [`${outside} saddr ${own} accept`, `${outside} daddr ${own} accept`];
  });
}

/**
 * In the chain that closes overlay addresses to everybody outside: pods of this machine reach them as they would from
 * another node, under the network's ingress rules. A cluster's API server answers at the address of its node.
 */
export function podEntranceRules(pods: readonly PodsIntent[], firewalls: Firewalls): string[] {
  const handles = new Set(Array.from(firewalls.values(), ({ handle }) => handle));
  return pods.flatMap(({ handle, prefix, slices, local }) => {
    if (local.length === 0) return [];
    const { header } = words[familyOf(prefix)];
    const verdict = handles.has(handle) ? `goto ${evaluationChain('ingress', handle)}` : 'accept';
    return [`${header} saddr { ${slices.join(', ')} } ${header} daddr { ${local.join(', ')} } ${verdict}`];
  });
}

/**
 * Before flannel's and kube-proxy's own masquerading, which takes an address of the interface that a packet leaves by: of
 * one that leads to a hub there is none, and the kernel would take another network's. So packets of pods, and those for
 * pods, stay as they are: rules name their addresses, and every node has a route back. What a service has led to a pod of
 * another node is answered by way of this one, and has its overlay address.
 */
export function podTranslationRules(pods: readonly PodsIntent[]): string[] {
  return pods.flatMap(({ handle, prefix, own }) => {
    const { header } = words[familyOf(prefix)];
    const leaving = `oifname @${networkSet(handle)} ${header}`;
    const same = `snat ${header} to ${header} saddr`;
    const services =
      own === null
        ? []
        : [
            `${leaving} daddr ${prefix} ct status dnat iifname @${overlaySet} snat ${header} to ${own}`,
            `${leaving} daddr ${prefix} ct status dnat ${header} saddr != ${prefix} snat ${header} to ${own}`,
          ];
    return [...services, `${leaving} saddr ${prefix} ${same}`, `${leaving} daddr ${prefix} ${same}`];
  });
}
