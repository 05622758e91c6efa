// Which resets of sessions this machine has done: each that its document asks for is done once, also when the agent starts
// anew in between.
import { parseJson } from '@powernode/core/json';
import { sessionResetsRememberedMax } from '@powernode/core/limits/agent';
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { BgpResetEntry } from '@powernode/core/wire/routing-entries';
import { id } from '@powernode/core/wire/texts';
import type { Logger } from 'pino';
import { z } from 'zod';
import type { StateFolder } from '../state/folder.ts';

const file = 'bgp-resets.json';
/** By network and peer, the one that was done last; the newest is the last member. */
const stored = z.record(z.string(), id);

export interface SessionResetsParts {
  readonly folder: Pick<StateFolder, 'read' | 'write'>;
  readonly log: Pick<Logger, 'warn'>;
}

export class SessionResets {
  readonly #parts: SessionResetsParts;
  readonly #done: Map<string, string>;

  constructor(parts: SessionResetsParts) {
    this.#parts = parts;
    const found = stored.safeParse(parseJson(parts.folder.read(file) ?? ''));
    this.#done = new Map(Object.entries(found.success ? found.data : {}));
  }

  /** The one that was done last for the session with a peer; undefined: none. */
  done(networkId: string, peerId: string): string | undefined {
    return this.#done.get(keyOf(networkId, peerId));
  }

  /** Those of a network that are not done yet. */
  due(document: NodeDocument, networkId: string): BgpResetEntry[] {
    return document
      .inNetwork('bgp_reset', networkId)
      .filter(({ peer_id, reset_id }) => this.done(networkId, peer_id) !== reset_id);
  }

  /** A disk that is full keeps no session from being cleared: then it is remembered until the agent ends. */
  remember({ network_id, peer_id, reset_id }: BgpResetEntry): void {
    const key = keyOf(network_id, peer_id);
    this.#done.delete(key);
    this.#done.set(key, reset_id);
    for (const oldest of this.#done.keys()) {
      if (this.#done.size <= sessionResetsRememberedMax) break;
      this.#done.delete(oldest);
    }
    try {
      this.#parts.folder.write(file, JSON.stringify(Object.fromEntries(this.#done)));
    } catch (error) {
      this.#parts.log.warn({ err: error }, 'that a BGP session was cleared could not be stored');
    }
  }
}

function keyOf(networkId: string, peerId: string): string {
  return `${networkId} ${peerId}`;
}
