// Short messages about what was just done. They pass; whatever must not be missed stands on the page instead.
import { createStore } from './store.ts';

export interface Toast {
  readonly id: number;
  readonly tone: 'done' | 'wait' | 'bad';
  readonly text: string;
  /** Takes back what was done. It is offered for longer than a message stays that only tells. */
  readonly undo?: () => void;
  readonly link?: { readonly approvalId: string; readonly label: string };
}

/** More at once cover the page. The oldest gives way. */
const toastsShownMax = 3;
let lastId = 0;

export const toasts = createStore<readonly Toast[]>([]);

export function tell(toast: Omit<Toast, 'id'>): void {
  lastId += 1;
  const next = { ...toast, id: lastId };
  toasts.update((shown) => [...shown, next].slice(-toastsShownMax));
}

export function dismiss(id: number): void {
  toasts.update((shown) => shown.filter((toast) => toast.id !== id));
}
