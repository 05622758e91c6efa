// The document that a machine is to become.
import type { NodeDocument } from '@powernode/core/wire/node-document';
import type { Held } from '../state/current-document.ts';

export interface Target extends Held {
  /** The entries, by kind. */
  readonly document: NodeDocument;
}
