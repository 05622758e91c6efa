// Which shape, colour and words each state of the product has. One table a noun; nothing else chooses these.
import type { approvalStatus, PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event, Instance } from '@powernode/core/intent/fleet';
import type { Peer } from '@powernode/core/intent/peer';
import { type PeerState, peerStateOf } from './peer-state.ts';
import { Status, type StatusProps } from './status.tsx';

type Look = Omit<StatusProps, 'chip'>;
type ProblemSeverity = Instance['problems'][number]['severity'];
type ApprovalStatus = (typeof approvalStatus)['_output'];
interface Chip {
  readonly chip?: boolean;
}

export const peerLooks: Readonly<Record<PeerState, Look>> = {
  connected: { tone: 'ok', shape: 'full', text: 'connected', hint: 'A handshake within 5 minutes' },
  handshaking: {
    tone: 'info',
    shape: 'half',
    text: 'handshaking',
    hint: 'Applied by its instance; no handshake yet',
    moving: true,
  },
  handshake_pending: {
    tone: 'wait',
    shape: 'dotted',
    text: 'pending',
    hint: 'Not applied by its instance yet',
  },
  silent: { tone: 'bad', shape: 'triangle', text: 'silent', hint: 'No handshake for 5 minutes' },
  unreachable: {
    tone: 'bad',
    shape: 'cross',
    text: 'unreachable',
    hint: 'The overlay does not reach it now',
  },
};

const instanceLooks: Readonly<Record<Instance['status'], Look>> = {
  pending: { tone: 'wait', shape: 'dotted', text: 'pending' },
  provisioning: { tone: 'info', shape: 'half', text: 'provisioning', moving: true },
  running: { tone: 'ok', shape: 'full', text: 'running' },
  draining: { tone: 'wait', shape: 'half', text: 'draining' },
  stopped: { tone: 'idle', shape: 'square', text: 'stopped' },
  terminated: { tone: 'idle', shape: 'cross', text: 'terminated' },
  error: { tone: 'bad', shape: 'triangle', text: 'error' },
};

const approvalLooks: Readonly<Record<ApprovalStatus, Look>> = {
  pending: { tone: 'wait', shape: 'dotted', text: 'pending' },
  approved: { tone: 'ok', shape: 'tick', text: 'approved' },
  rejected: { tone: 'idle', shape: 'cross', text: 'rejected' },
  failed: { tone: 'bad', shape: 'triangle', text: 'failed' },
};

const joinTokenLooks: Readonly<Record<'unused' | 'used' | 'expired' | 'revoked', Look>> = {
  unused: { tone: 'wait', shape: 'dotted', text: 'unused' },
  used: { tone: 'ok', shape: 'tick', text: 'used' },
  expired: { tone: 'idle', shape: 'ring', text: 'expired' },
  revoked: { tone: 'idle', shape: 'cross', text: 'revoked' },
};

const apiTokenLooks: Readonly<Record<'active' | 'expired' | 'revoked', Look>> = {
  active: { tone: 'ok', shape: 'full', text: 'active' },
  expired: { tone: 'idle', shape: 'ring', text: 'expired' },
  revoked: { tone: 'idle', shape: 'cross', text: 'revoked' },
};

const subsystemLooks: Readonly<Record<Instance['subsystems'][number]['state'], Look>> = {
  ok: { tone: 'ok', shape: 'full', text: 'ok' },
  degraded: { tone: 'wait', shape: 'diamond', text: 'degraded' },
  failed: { tone: 'bad', shape: 'triangle', text: 'failed' },
};

const severityLooks: Readonly<Record<Event['severity'], Look>> = {
  info: { tone: 'idle', shape: 'ring', text: 'info' },
  warning: { tone: 'wait', shape: 'diamond', text: 'warning' },
  error: { tone: 'bad', shape: 'triangle', text: 'error' },
};

export const policyWords: Readonly<Record<PolicyMode, { readonly text: string; readonly meaning: string }>> =
  {
    auto_approve: { text: 'auto approve', meaning: 'runs without a mark' },
    notify_and_proceed: { text: 'notify and proceed', meaning: 'runs, and its event is marked' },
    require_approval: { text: 'require approval', meaning: 'waits for a decision' },
    blocked: { text: 'blocked', meaning: 'is refused' },
  };

export function PeerStatusMark({
  peer,
  chip,
}: Chip & { readonly peer: Pick<Peer, 'status' | 'reachable' | 'unreachable_because'> }) {
  const look = peerLooks[peerStateOf(peer)];
  return (
    <Status
      {...look}
      hint={peer.unreachable_because?.detail ?? look.hint}
      {...(chip === true ? { chip } : {})}
    />
  );
}
export function InstanceStatusMark({ status, chip }: Chip & { readonly status: Instance['status'] }) {
  return <Status {...instanceLooks[status]} {...(chip === true ? { chip } : {})} />;
}
export function ApprovalStatusMark({ status, chip }: Chip & { readonly status: ApprovalStatus }) {
  return <Status {...approvalLooks[status]} {...(chip === true ? { chip } : {})} />;
}
export function JoinTokenStatusMark({ status }: { readonly status: keyof typeof joinTokenLooks }) {
  return <Status {...joinTokenLooks[status]} />;
}
export function ApiTokenStatusMark({ status }: { readonly status: keyof typeof apiTokenLooks }) {
  return <Status {...apiTokenLooks[status]} />;
}
export function SubsystemMark({ state }: { readonly state: keyof typeof subsystemLooks }) {
  return <Status {...subsystemLooks[state]} />;
}
export function SeverityMark({ severity, chip }: Chip & { readonly severity: Event['severity'] }) {
  return <Status {...severityLooks[severity]} {...(chip === true ? { chip } : {})} />;
}
/** A code of docs/reference/instance-problems.md. */
export function ProblemMark({
  code,
  severity,
}: {
  readonly code: string;
  readonly severity: ProblemSeverity;
}) {
  return <Status {...severityLooks[severity]} text={code} />;
}

/** Whether its agent is connected to the platform. `since`: when it was last heard. */
export function ConnectedMark({
  connected,
  since,
  chip,
}: Chip & { readonly connected: boolean; readonly since?: string | null }) {
  const hint = since == null ? 'Never seen' : `Last seen ${since}`;
  const look: Look = connected
    ? { tone: 'ok', shape: 'full', text: 'online' }
    : { tone: 'bad', shape: 'cross', text: 'offline', hint };
  return <Status {...look} {...(chip === true ? { chip } : {})} />;
}

/** Whether a machine is what it should be. One that is away is evaluated by what it last said. */
export function SyncMark({ inSync, chip }: Chip & { readonly inSync: boolean }) {
  const look: Look = inSync
    ? { tone: 'ok', shape: 'tick', text: 'in sync', hint: 'The kernel matches the desired configuration' }
    : {
        tone: 'wait',
        shape: 'half',
        text: 'out of date',
        hint: 'The kernel does not match the desired configuration yet',
      };
  return <Status {...look} {...(chip === true ? { chip } : {})} />;
}

export function PathMark({
  path,
  hub,
}: {
  readonly path: 'direct' | 'via hub';
  readonly hub?: string | null;
}) {
  if (path === 'direct')
    return <Status tone="ok" shape="diamond" text="direct" hint="Peers reach it directly" />;
  const text = hub === undefined || hub === null ? 'via hub' : `via ${hub}`;
  return <Status tone="relay" shape="ring" text={text} hint="Other peers reach it through a hub" />;
}
