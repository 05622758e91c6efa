// Who is in a network, by name: for choices in forms, and for columns that have only identifiers.
import { useMemo } from 'react';
import { useMay } from '../../app/permissions.ts';
import { type Row, type Rows, useRows } from '../../app/use-rows.ts';
import type { Choice } from '../../parts/form.tsx';

/** What there is no name for (yet) is called something, too: null is only for null. */
export interface NameOf {
  (id: string): string;
  (id: string | null): string | null;
}

interface Listed<R> extends Pick<Rows<R>, 'rows' | 'complete' | 'error' | 'retry'> {
  /** Whoever may not see them sees a part of their identifiers. */
  readonly may: boolean;
}

export interface Names<R> extends Listed<R> {
  readonly nameOf: NameOf;
  readonly choices: readonly Choice<string>[];
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function useNames<R extends { readonly id: string }>(listed: Listed<R>, name: (row: R) => string): Names<R> {
  const { rows, complete, may } = listed;
  const named = useMemo(() => {
    const names = new Map(rows.map((row) => [row.id, name(row)]));
    const choices = [...names]
      .map(([value, text]) => ({ value, text }))
      .sort((a, b) => collator.compare(a.text, b.text));
    const unknown = (id: string) => (!may ? `…${id.slice(-12)}` : complete ? 'deleted' : '…');
    const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? unknown(id)));
    return { choices, nameOf: nameOf as NameOf };
  }, [rows, complete, may, name]);
  return { ...listed, ...named };
}

const hostname = (peer: Row<'listPeers'>) => peer.hostname;
const ownName = (row: { readonly name: string }) => row.name;

/** What is chosen only sometimes is read only while it is wanted. */
export function usePeerNames(networkId: string, wanted = true): Names<Row<'listPeers'>> {
  const may = useMay('listPeers');
  const listed = useRows('listPeers', { network_id: networkId }, { enabled: may && wanted });
  return useNames({ ...listed, may }, hostname);
}

export function useVirtualIpNames(networkId: string, wanted = true): Names<Row<'listVirtualIps'>> {
  const may = useMay('listVirtualIps');
  const listed = useRows('listVirtualIps', { network_id: networkId }, { enabled: may && wanted });
  return useNames({ ...listed, may }, ownName);
}

/** Without those that were shut out: nobody chooses them any more. */
export function useDeviceNames(networkId: string, wanted = true): Names<Row<'listUserDevices'>> {
  const may = useMay('listUserDevices');
  const listed = useRows('listUserDevices', { network_id: networkId }, { enabled: may && wanted });
  const { rows } = listed;
  const active = useMemo(() => rows.filter((device) => device.status !== 'revoked'), [rows]);
  return useNames({ ...listed, rows: active, may }, ownName);
}

/** The name of whatever of a network a form refers to; null: it is not known (yet). */
export function useMemberNames(networkId: string): (id: string) => string | null {
  const peers = usePeerNames(networkId).choices;
  const ips = useVirtualIpNames(networkId).choices;
  const devices = useDeviceNames(networkId).choices;
  return useMemo(() => {
    const names = new Map([...peers, ...ips, ...devices].map(({ value, text }) => [value, text]));
    return (id) => names.get(id) ?? null;
  }, [peers, ips, devices]);
}
