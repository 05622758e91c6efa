// The token of whoever is signed in. It lives in this tab's session storage only, and ends with the tab.
import { createStore } from './store.ts';

export interface Session {
  readonly token: string | null;
  /** Why the last session ended, when it was not the user's wish. */
  readonly notice: string | null;
}

const storageKey = 'powernode.token';

function readToken(): string | null {
  try {
    return sessionStorage.getItem(storageKey);
  } catch {
    return null;
  }
}

function keepToken(token: string | null): void {
  try {
    if (token === null) sessionStorage.removeItem(storageKey);
    else sessionStorage.setItem(storageKey, token);
  } catch {
    // A browser that forbids storage: the session lasts until the page is left.
  }
}

export const session = createStore<Session>({ token: readToken(), notice: null });

export function startSession(token: string): void {
  keepToken(token);
  session.set({ token, notice: null });
}

export function endSession(notice: string | null): void {
  keepToken(null);
  session.set({ token: null, notice });
}
