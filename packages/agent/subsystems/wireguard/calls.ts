// Where this machine calls other peers now: of the endpoints that the document names, one, or for now none.
import type { PeerEntry } from '@powernode/core/wire/document';

export interface Calls {
  /** The entry with the endpoint that is to be called now; null, and no keepalive: it is not called. */
  asCalled(entry: PeerEntry): PeerEntry;
  /** Whether the kernel is to forget where the peer is, so that it stops calling there. By the key of the entry. */
  isSilenced(key: string): boolean;
}

/** As the document says. */
export const asDocumented: Calls = {
  asCalled: (entry) => entry,
  isSilenced: () => false,
};
