// Names of sets and chains that are made from what they are for.
import { hash } from 'node:crypto';
import type { Direction, Form } from '@powernode/core/compile/firewall/model';
import { nftNamePartMax } from '@powernode/core/limits/overlay';
import type { Family } from '@powernode/core/net/address';

/** How nft calls what is of a family. */
export const words = {
  6: { address: 'ipv6_addr', header: 'ip6' },
  4: { address: 'ipv4_addr', header: 'ip' },
} as const satisfies Record<Family, object>;

export const families = [6, 4] as const;

export const overlaySet = 'pn_overlay';

export function evaluationChain(direction: Direction, handle: string): string {
  return `pn_${direction === 'ingress' ? 'in' : 'out'}_${handle}`;
}

export function networkSet(handle: string): string {
  return `pn_net_${handle}`;
}

export function formName(form: Form): string {
  switch (form.kind) {
    case 'any':
    case 'host':
      return form.kind;
    case 'net':
      return `net${form.length}`;
    case 'group':
      return `tag.${shortened(escaped(form.group))}`;
  }
}

/** Names hold letters, digits, `.`, `-`, `_` and `/`. `_` stands between the parts of a name, `/` before a code. */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.-]/g, (one) => `/${(one.codePointAt(0) ?? 0).toString(16)}.`);
}

/** Two slashes stand in no name that was not cut. */
function shortened(name: string): string {
  if (name.length <= nftNamePartMax) return name;
  const tail = `//${hash('sha256', name).slice(0, 16)}`;
  return name.slice(0, nftNamePartMax - tail.length) + tail;
}
