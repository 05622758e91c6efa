// Test support: the row of a machine that has joined, with nothing particular about it.
import type { Insertable } from 'kysely';
import type { Database } from '../../store/tables.ts';

type Row = Insertable<Database['instances']>;

export function instanceRow(part: Partial<Row> & Pick<Row, 'id' | 'account_id'>): Row {
  return {
    hostname: 'edge1',
    status: 'running',
    provider: 'joined',
    tags: '[]',
    addresses: '[]',
    subsystems: '[]',
    ...part,
  };
}
