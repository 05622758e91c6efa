// The platform's actions over HTTP, as a script would call them.
import type { PlatformProcess } from './platform.ts';

export type Call = <T>(action: string, input: object) => Promise<T>;

export function callsOf({ url, adminToken }: Pick<PlatformProcess, 'url' | 'adminToken'>): Call {
  return async <T>(action: string, input: object) => {
    const response = await fetch(`${url}/api/v1/actions/${action}`, {
      method: 'POST',
      headers: { authorization: `Bearer ${adminToken}`, 'content-type': 'application/json' },
      body: JSON.stringify(input),
    });
    const text = await response.text();
    if (!response.ok || response.status === 202) {
      throw new Error(`${action} answered ${response.status}: ${text.slice(0, 500)}`);
    }
    return JSON.parse(text) as T;
  };
}
