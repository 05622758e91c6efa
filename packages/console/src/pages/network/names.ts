// Who is in a network, by name: for choices in forms, and for columns that have only identifiers.
import { useMemo } from 'react';
import { useMay } from '../../app/permissions.ts';
import { type Row, useRows } from '../../app/use-rows.ts';
import type { Choice } from '../../parts/form.tsx';

/** What there is no name for (yet) is called something, too: null is only for null. */
export interface NameOf {
  (id: string): string;
  (id: string | null): string | null;
}

interface Names<R> {
  readonly rows: readonly R[];
  readonly nameOf: NameOf;
  readonly choices: readonly Choice<string>[];
}

interface Listed<R> {
  readonly rows: readonly R[];
  readonly complete: boolean;
  /** Whoever may not see them sees a part of their identifiers. */
  readonly may: boolean;
}

const collator = new Intl.Collator('en', { numeric: true, sensitivity: 'base' });

function useNames<R extends { readonly id: string }>(
  { rows, complete, may }: Listed<R>,
  name: (row: R) => string,
): Names<R> {
  return useMemo(() => {
    const names = new Map(rows.map((row) => [row.id, name(row)]));
    const choices = [...names]
      .map(([value, text]) => ({ value, text }))
      .sort((a, b) => collator.compare(a.text, b.text));
    const unknown = (id: string) => (!may ? `…${id.slice(-12)}` : complete ? 'gone' : '…');
    const nameOf = (id: string | null) => (id === null ? null : (names.get(id) ?? unknown(id)));
    return { rows, choices, nameOf: nameOf as NameOf };
  }, [rows, complete, may, name]);
}

const hostname = (peer: Row<'listPeers'>) => peer.hostname;
const ownName = (row: { readonly name: string }) => row.name;

export function usePeerNames(networkId: string): Names<Row<'listPeers'>> {
  const may = useMay('listPeers');
  const { rows, complete } = useRows('listPeers', { network_id: networkId }, { enabled: may });
  return useNames({ rows, complete, may }, hostname);
}

export function useVirtualIpNames(networkId: string): Names<Row<'listVirtualIps'>> {
  const may = useMay('listVirtualIps');
  const { rows, complete } = useRows('listVirtualIps', { network_id: networkId }, { enabled: may });
  return useNames({ rows, complete, may }, ownName);
}

/** Without those that were shut out: nobody chooses them any more. */
export function useDeviceNames(networkId: string): Names<Row<'listUserDevices'>> {
  const may = useMay('listUserDevices');
  const { rows, complete } = useRows('listUserDevices', { network_id: networkId }, { enabled: may });
  const active = useMemo(() => rows.filter((device) => device.status !== 'revoked'), [rows]);
  return useNames({ rows: active, complete, may }, ownName);
}
