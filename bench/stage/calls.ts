// The platform's actions over HTTP, as a script would call them.
import { PlatformClient } from '@powernode/client/platform-client';
import type { PlatformProcess } from './platform.ts';

export type Call = <T>(action: string, input: object) => Promise<T>;

export function callsOf({ url, adminToken }: Pick<PlatformProcess, 'url' | 'adminToken'>): Call {
  const client = new PlatformClient({ url, token: () => adminToken, fetch, timeoutMs: null });
  return async <T>(action: string, input: object) => {
    const { status, body } = await client.call(action, input);
    if (status === 202) throw new Error(`${action} waits for an approval`);
    return body as T;
  };
}
