// Connections that rules no longer allow are ended when rules change, unless a network says otherwise.
import type { Migration } from '../migrate.ts';

export const rematchConnections: Migration = {
  number: 7,
  name: 'rematch_connections',
  sql: `
alter table networks
  add column rematch_connections boolean not null default true; -- end what the rules no longer allow
`,
};
