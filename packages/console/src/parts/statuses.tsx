// Which shape, colour and words each state of the product has. One table a noun; nothing else chooses these.
import type { approvalStatus, PolicyMode } from '@powernode/core/intent/autonomy';
import type { Event, Instance } from '@powernode/core/intent/fleet';
import type { PeerStatus } from '@powernode/core/intent/peer';
import { Status, type StatusProps } from './status.tsx';

type Look = Omit<StatusProps, 'chip'>;
type ApprovalStatus = (typeof approvalStatus)['_output'];
interface Chip {
  readonly chip?: boolean;
}

export const peerLooks: Readonly<Record<PeerStatus, Look>> = {
  connected: { tone: 'ok', shape: 'full', text: 'connected', hint: 'A handshake within 5 minutes' },
  handshaking: {
    tone: 'info',
    shape: 'half',
    text: 'handshaking',
    hint: 'Its node has applied it; no handshake yet',
    moving: true,
  },
  handshake_pending: {
    tone: 'wait',
    shape: 'dotted',
    text: 'pending',
    hint: 'Its node has not applied it yet',
  },
  silent: { tone: 'bad', shape: 'triangle', text: 'silent', hint: 'No handshake for 5 minutes' },
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
    auto_approve: { text: 'auto approve', meaning: 'is done silently' },
    notify_and_proceed: { text: 'notify and proceed', meaning: 'is done, and its event is marked' },
    require_approval: { text: 'require approval', meaning: 'waits for a decision' },
    blocked: { text: 'blocked', meaning: 'is refused' },
  };

export function PeerStatusMark({ status, chip }: Chip & { readonly status: PeerStatus }) {
  return <Status {...peerLooks[status]} {...(chip === true ? { chip } : {})} />;
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

export function ConnectedMark({ connected, chip }: Chip & { readonly connected: boolean }) {
  const look: Look = connected
    ? { tone: 'ok', shape: 'full', text: 'connected' }
    : { tone: 'bad', shape: 'triangle', text: 'away', hint: 'It has no stream to the platform now' };
  return <Status {...look} {...(chip === true ? { chip } : {})} />;
}

/** Whether a machine is what it should be. One that is away is judged by what it last said. */
export function SyncMark({ inSync, chip }: Chip & { readonly inSync: boolean }) {
  const look: Look = inSync
    ? { tone: 'ok', shape: 'tick', text: 'in sync', hint: 'Its kernel is what it should be' }
    : { tone: 'wait', shape: 'half', text: 'behind', hint: 'Its kernel is not yet what it should be' };
  return <Status {...look} {...(chip === true ? { chip } : {})} />;
}

export function PathMark({
  path,
  hub,
}: {
  readonly path: 'direct' | 'via hub';
  readonly hub?: string | null;
}) {
  if (path === 'direct') return <Status tone="ok" shape="diamond" text="direct" hint="Others can call it" />;
  const text = hub === undefined || hub === null ? 'via hub' : `via ${hub}`;
  return <Status tone="relay" shape="ring" text={text} hint="Other spokes reach it through a hub" />;
}
