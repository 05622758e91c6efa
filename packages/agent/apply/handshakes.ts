// First handshakes in a hurry. A tunnel may be configured here before its other end knows this machine; WireGuard
// then tries again after 5 s. Taken out and put in again it tries at once. Only ever done to tunnels that have not
// shaken hands since they were made, so it disturbs nothing. Which are due is decided here; doing it is not.
import { agentHandshakeRetryPausesMs } from '@powernode/core/limits/agent';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { ObservedDevice } from '../subsystems/observed.ts';
import type { Step } from '../subsystems/step.ts';
import type { Calls } from '../subsystems/wireguard/calls.ts';
import { type ExtraAllowedIps, withExtraAllowedIps, writtenPeer } from '../subsystems/wireguard/peers.ts';

interface Pending {
  readonly interface: string;
  readonly publicKey: string;
  readonly tries: number;
  readonly dueMs: number;
}

export class Handshakes {
  readonly #pending = new Map<string, Pending>();

  /** When the next one is due; null: none is waited for. */
  get nextMs(): number | null {
    let next: number | null = null;
    for (const { dueMs } of this.#pending.values()) next = Math.min(next ?? dueMs, dueMs);
    return next;
  }

  /** Takes note of tunnels that these steps have just begun, where this side is the one to call. */
  begun(steps: readonly Step[], nowMs: number): void {
    for (const step of steps) {
      if (step.kind !== 'set_peer' || (step.peer.how !== 'new' && step.peer.how !== 'renew')) continue;
      // Without a keepalive WireGuard says nothing of its own accord, and so there is nothing to repeat.
      if (step.peer.endpoint === null || step.peer.keepalive === 0) continue;
      const { interface: name, peer } = step;
      const pending = {
        interface: name,
        publicKey: peer.publicKey,
        tries: 0,
        dueMs: nowMs + agentHandshakeRetryPausesMs[0],
      };
      this.#pending.set(`peer/${name}/${peer.publicKey}`, pending);
    }
  }

  /** Interfaces with tunnels that are due. */
  interfacesDue(nowMs: number): Set<string> {
    const names = new Set<string>();
    for (const pending of this.#pending.values()) if (pending.dueMs <= nowMs) names.add(pending.interface);
    return names;
  }

  /** What to do on one interface now that it was looked at. Tunnels that are up, gone or tried enough are dropped. */
  stepsFor(
    name: string,
    at: {
      readonly device: ObservedDevice | null;
      readonly document: NodeDocument;
      readonly extraAllowedIps: ExtraAllowedIps;
      readonly calls: Calls;
      readonly nowMs: number;
    },
  ): Step[] {
    const steps: Step[] = [];
    for (const [key, pending] of this.#pending) {
      if (pending.interface !== name) continue;
      const observed = at.device?.peers.get(pending.publicKey);
      const entry = at.document.get('peer', `${name}/${pending.publicKey}`);
      const called =
        entry === undefined ? null : at.calls.asCalled(withExtraAllowedIps(entry, at.extraAllowedIps));
      if (
        observed === undefined ||
        observed.lastHandshakeS > 0 ||
        called === null ||
        called.endpoint === null
      ) {
        this.#pending.delete(key);
        continue;
      }
      if (pending.dueMs > at.nowMs) continue;
      steps.push(writtenPeer(called, 'renew'));
      const tries = pending.tries + 1;
      const pauseMs = agentHandshakeRetryPausesMs[tries];
      if (pauseMs === undefined) this.#pending.delete(key);
      else this.#pending.set(key, { ...pending, tries, dueMs: at.nowMs + pauseMs });
    }
    return steps;
  }
}
