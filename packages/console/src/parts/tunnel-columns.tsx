// The columns of whoever has a tunnel, a machine or a device: when it was last heard, what went through, its key.
import { formatBytes } from './format.ts';
import type { Column } from './table/columns.ts';
import { Ago } from './time.tsx';

interface Tunnelled {
  readonly last_handshake_at: string | null;
  readonly rx_bytes: number | null;
  readonly tx_bytes: number | null;
  readonly ipv4_address: string | null;
  readonly public_key: string;
}

export interface TunnelColumns<Row> {
  /** Handshake, received, sent. */
  readonly traffic: readonly Column<Row>[];
  /** Shown only when chosen. */
  readonly ipv4: Column<Row>;
  readonly key: Column<Row>;
}

export function tunnelColumns<Row extends Tunnelled>(): TunnelColumns<Row> {
  return {
    traffic: [
      {
        id: 'handshake',
        header: 'Last handshake',
        text: (row) => row.last_handshake_at ?? '',
        sort: (row) => row.last_handshake_at,
        cell: (row) => <Ago at={row.last_handshake_at} />,
        width: [6.5, 0.6],
      },
      bytesColumn({ id: 'rx', header: 'Received', of: (row) => row.rx_bytes }),
      bytesColumn({ id: 'tx', header: 'Sent', of: (row) => row.tx_bytes }),
    ],
    ipv4: ipv4Column(),
    key: {
      id: 'key',
      header: 'Public key',
      text: (row) => row.public_key,
      width: [12, 1],
      mono: true,
      extra: true,
    },
  };
}

interface BytesOf<Row> {
  readonly id: string;
  readonly header: string;
  readonly of: (row: Row) => number | null;
}

export function bytesColumn<Row>({ id, header, of }: BytesOf<Row>): Column<Row> {
  return {
    id,
    header,
    text: () => '',
    sort: of,
    cell: (row) => <span className="num">{formatBytes(of(row))}</span>,
    width: [5.5, 0.5],
    end: true,
  };
}

export function ipv4Column<Row extends Pick<Tunnelled, 'ipv4_address'>>(): Column<Row> {
  return {
    id: 'ipv4',
    header: 'IPv4',
    text: (row) => row.ipv4_address ?? '',
    width: [8, 0.8],
    mono: true,
    extra: true,
  };
}
