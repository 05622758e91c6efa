// When a peer was last marked as one with FRR or without, which limits how often that follows its machine.
import type { Migration } from '../migrate.ts';

export const routingDaemonRest: Migration = {
  number: 36,
  name: 'routing-daemon-rest',
  sql: `
alter table peers
  add column routing_daemon_followed_at timestamptz; -- when routing_daemon_missing last followed its machine; null: not yet
`,
};
