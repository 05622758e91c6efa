// The daemons that a document asks for: a bgpd for each network with iBGP.
import { type InboundFilter, inboundFilters } from '@powernode/core/routing/accepted';
import { configText } from '@powernode/core/routing/config-lines';
import { routingOf } from '@powernode/core/routing/from-entries';
import { renderBgpd } from '@powernode/core/routing/render';
import type { NodeDocument } from '@powernode/core/wire/node-document';

export interface WantedBgp {
  readonly network: string;
  /** This machine's overlay address in it. */
  readonly address: string;
  /** The whole configuration of its bgpd. */
  readonly text: string;
  /** Addresses of its neighbors. */
  readonly neighbors: ReadonlySet<string>;
  /** Of neighbors that may not announce everything. */
  readonly filters: readonly InboundFilter[];
}

/** `withheld`: addresses of this machine that are not announced now. */
export function wantedBgp(document: NodeDocument, withheld: readonly string[] = []): WantedBgp[] {
  return [...document.all('bgp').values()]
    .flatMap(({ network_id: network, host_address: address }) => {
      const routing = routingOf(document, network, withheld);
      if (routing === null) return [];
      const neighbors = new Set(routing.neighbors.map((neighbor) => neighbor.host_address));
      const lines = renderBgpd(routing);
      return { network, address, text: configText(lines), neighbors, filters: inboundFilters(lines) };
    })
    .sort((a, b) => (a.network < b.network ? -1 : 1));
}
