// Which packets are routed by the table of which network. What comes by an interface of a network, or from a LAN behind
// this machine or an address of this machine in it, goes by the table of that network. All other packets of this machine
// go by the main table first, without its default route, so that no prefix behind a peer takes the place of a network
// that the machine is connected to. Where a network has pods, these packets do not take routes of the main table by the
// agent's interfaces either: a cluster has written routes to slices there, by an interface whose tunnel may be another
// one than the path that is alive. The same holds where routes are exported to the main table. The agent's own routes of
// that table are found behind that of the network.
import { familyOf } from '@powernode/core/net/address';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import { interfaceGroup } from '../links/names.ts';
import { tablesOf } from './tables.ts';

/** Priorities: behind the local table (0), before the main one (32766). */
const priorities = { arriving: 21200, source: 21201, main: 21202, otherwise: 21203 } as const;
const anywhere = { 6: '::/0', 4: '0.0.0.0/0' } as const;

/** In the order in which they are added. `exportRoutes`: the main table has copies of the networks' routes. */
export function policyRulesOf(document: NodeDocument, exportRoutes = false): string[] {
  const tables = [...tablesOf(document)];
  if (tables.length === 0) return [];
  const families = [6, 4] as const;
  const arriving = tables.flatMap(([networkId, table]) =>
    document
      .inNetwork('interface', networkId)
      .flatMap(({ name }) =>
        families.map(
          (family) => `from ${anywhere[family]} iif ${name} lookup ${table} pref ${priorities.arriving}`,
        ),
      ),
  );
  const sources = tables.flatMap(([networkId, table]) =>
    sourcesIn(document, networkId).map((from) => `from ${from} lookup ${table} pref ${priorities.source}`),
  );
  const isMixed = exportRoutes || document.all('pods').size > 0;
  const withoutOwn = isMixed ? ` suppress_ifgroup ${interfaceGroup}` : '';
  const main = families.map(
    (family) =>
      `from ${anywhere[family]} lookup main suppress_prefixlength 0${withoutOwn} pref ${priorities.main}`,
  );
  const otherwise = tables.flatMap(([, table]) =>
    families.map((family) => `from ${anywhere[family]} lookup ${table} pref ${priorities.otherwise}`),
  );
  return [...arriving, ...sources, ...main, ...otherwise];
}

/** Addresses of this machine in the network, and the LANs behind it. */
function sourcesIn(document: NodeDocument, networkId: string): string[] {
  const own = document.inNetwork('interface', networkId).flatMap(({ addresses }) => addresses);
  const lans = document.inNetwork('lan', networkId).map((entry) => entry.local_prefix);
  return [...new Set([...own, ...lans])].sort();
}

/** Every rule begins with where packets come from. */
export function familyOfRule(rule: string): 4 | 6 {
  const [, source = ''] = rule.split(' ');
  return familyOf(source);
}

/** `ip rule` writes a block of one without its length. */
export function sourceText(src: string, length: number | undefined, family: 4 | 6): string {
  if (src === 'all') return anywhere[family];
  return `${src}/${length ?? (familyOf(src) === 6 ? 128 : 32)}`;
}
