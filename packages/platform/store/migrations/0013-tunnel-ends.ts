// What one machine says of another one's keys, looked up without its interface: both ends of a tunnel are compared.
import type { Migration } from '../migrate.ts';

export const tunnelEnds: Migration = {
  number: 13,
  name: 'tunnel-ends',
  sql: `
create index tunnel_observations_ends on tunnel_observations (instance_id, public_key);
`,
};
