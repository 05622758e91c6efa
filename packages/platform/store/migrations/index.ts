// Every migration in its order. A number that has been released is never changed, reused or removed.
import type { Migration } from '../migrate.ts';
import { overlay } from './0001-overlay.ts';
import { services } from './0002-services.ts';
import { policies } from './0003-policies.ts';
import { nodeProblems } from './0004-node-problems.ts';
import { tokenMakers } from './0005-token-makers.ts';
import { underlay } from './0006-underlay.ts';
import { rematchConnections } from './0007-rematch-connections.ts';
import { streamEnds } from './0008-stream-ends.ts';
import { presence } from './0009-presence.ts';
import { endpoints } from './0010-endpoints.ts';
import { onceSecrets } from './0011-once-secrets.ts';
import { modelTokens } from './0012-model-tokens.ts';
import { tunnelEnds } from './0013-tunnel-ends.ts';
import { wayIn } from './0014-way-in.ts';
import { formerPeers } from './0015-former-peers.ts';
import { onceMakers } from './0016-once-makers.ts';
import { hostnames } from './0017-hostnames.ts';
import { refusedLegs } from './0018-refused-legs.ts';
import { tokenLines } from './0019-token-lines.ts';
import { waitingRequests } from './0020-waiting-requests.ts';
import { changeOrigins } from './0021-change-origins.ts';
import { peersCount } from './0022-peers-count.ts';
import { capabilities } from './0023-capabilities.ts';
import { retention } from './0024-retention.ts';
import { operations } from './0025-operations.ts';
import { onceTokens } from './0026-once-tokens.ts';
import { subnets } from './0027-subnets.ts';
import { routing } from './0028-routing.ts';
import { virtualIpHealth } from './0029-virtual-ip-health.ts';
import { pods } from './0030-pods.ts';
import { refusedRoutes } from './0031-refused-routes.ts';
import { sessionResetsAndFindings } from './0032-session-resets-and-findings.ts';
import { failedChecks } from './0033-failed-checks.ts';
import { endedFindings } from './0034-ended-findings.ts';
import { routingDaemons } from './0035-routing-daemons.ts';
import { routingDaemonRest } from './0036-routing-daemon-rest.ts';

export const migrations: readonly Migration[] = [
  overlay,
  services,
  policies,
  nodeProblems,
  tokenMakers,
  underlay,
  rematchConnections,
  streamEnds,
  presence,
  endpoints,
  onceSecrets,
  modelTokens,
  tunnelEnds,
  wayIn,
  formerPeers,
  onceMakers,
  hostnames,
  refusedLegs,
  tokenLines,
  waitingRequests,
  changeOrigins,
  peersCount,
  capabilities,
  retention,
  operations,
  onceTokens,
  subnets,
  routing,
  virtualIpHealth,
  pods,
  refusedRoutes,
  sessionResetsAndFindings,
  failedChecks,
  endedFindings,
  routingDaemons,
  routingDaemonRest,
];
