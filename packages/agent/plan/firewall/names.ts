// Names of sets and chains that are made from what they are for.
import type { Direction, Form } from '@powernode/core/compile/firewall/model';
import type { Family } from '@powernode/core/net/address';

/** How nft calls what is of a family. */
export const words = {
  6: { address: 'ipv6_addr', header: 'ip6', nfproto: 'ipv6' },
  4: { address: 'ipv4_addr', header: 'ip', nfproto: 'ipv4' },
} as const satisfies Record<Family, object>;

export const families = [6, 4] as const;

export const overlaySet = 'pn_overlay';

export function judgeChain(direction: Direction, handle: string): string {
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
      return `tag.${escaped(form.group)}`;
  }
}

/** Names hold letters, digits, `.`, `-`, `_` and `/`. `_` stands between the parts of a name, `/` before a code. */
function escaped(text: string): string {
  return text.replaceAll(/[^A-Za-z0-9.-]/g, (one) => `/${(one.codePointAt(0) ?? 0).toString(16)}.`);
}
