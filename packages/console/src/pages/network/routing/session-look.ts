// How a session of BGP is shown: only what its instance says now is shown as its state.
import type { BgpSession } from '@powernode/core/intent/bgp';
import type { StatusProps } from '../../../parts/status.tsx';

type Look = Omit<StatusProps, 'chip'>;

const stateLooks: Readonly<Record<BgpSession['state'], Look>> = {
  Established: { tone: 'ok', shape: 'full', text: 'Established' },
  OpenConfirm: { tone: 'info', shape: 'half', text: 'OpenConfirm' },
  OpenSent: { tone: 'info', shape: 'half', text: 'OpenSent' },
  Connect: { tone: 'wait', shape: 'diamond', text: 'Connect', hint: 'Waits for a TCP connection' },
  Active: { tone: 'bad', shape: 'triangle', text: 'Active', hint: 'The neighbor does not answer' },
  Idle: { tone: 'bad', shape: 'cross', text: 'Idle', hint: 'Does not try to connect' },
};

type Observed = Pick<BgpSession, 'state' | 'observed_at' | 'stale'>;

export function sessionLook({ state, observed_at, stale }: Observed): Look {
  if (observed_at === null) {
    const hint = stale
      ? 'Its instance is offline and has not reported it'
      : 'Its instance has not reported it yet';
    return { tone: 'wait', shape: 'dotted', text: 'not reported', hint };
  }
  if (!stale) return stateLooks[state];
  return { tone: 'idle', shape: 'ring', text: `was ${state}`, hint: 'Its instance is offline' };
}

/** Established, as its instance says now. */
export function isEstablished({ state, observed_at, stale }: Observed): boolean {
  return state === 'Established' && observed_at !== null && !stale;
}
