// Under which names the operators' listener answers, and pages of which origins may ask it. A page of a stranger can
// make its own name resolve to 127.0.0.1 (DNS rebinding); it cannot make the browser send another Host or Origin.
import { ProductError } from '@powernode/core/errors';
import type { HttpContext } from './environment.ts';

export interface HostRules {
  /** Names and addresses (IPv6 in brackets), without port, that clients may use. null: any, as TLS proves the name. */
  readonly hosts: readonly string[] | null;
}

const loopbackHosts = ['localhost', '127.0.0.1', '[::1]'];

export function checkHost(context: HttpContext, { hosts }: HostRules): void {
  const own = hostnameOf(`http://${context.req.header('host') ?? new URL(context.req.url).host}`);
  const isKnown = (name: string | null) =>
    name !== null && (hosts === null ? name === own : [...loopbackHosts, ...hosts].includes(name));
  if (hosts !== null && !isKnown(own)) {
    throw new ProductError(
      'permission_denied',
      'This name is not allowed. Use localhost, or add the name to the setting allowed_hosts.',
    );
  }
  const origin = context.req.header('origin');
  if (origin === undefined || isKnown(hostnameOf(origin))) return;
  throw new ProductError(
    'permission_denied',
    'The request comes from another origin. If it is yours, add its name to the setting allowed_hosts.',
  );
}

/** Whether a Host header names this machine itself. */
export function isLoopbackName(host: string | undefined): boolean {
  const name = hostnameOf(`http://${host ?? ''}`);
  return name !== null && loopbackHosts.includes(name);
}

/** null: it is none, such as the origin of a page that has none. */
function hostnameOf(url: string): string | null {
  return URL.canParse(url) ? new URL(url).hostname : null;
}
