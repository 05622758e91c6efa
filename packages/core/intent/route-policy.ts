// Route policies of a network: which paths its peers import and export, and what they change in them. What a statement
// names beside itself (peers, addresses) is checked by core/routing/references.ts.
import { z } from 'zod';
import * as limits from '../limits/routing.ts';
import { addressTextMax } from '../limits/texts.ts';
import { formatAddress, parseAddress, widthOf } from '../net/address.ts';
import { canonicalPrefix, formatPrefix, hostMask, parsePrefix } from '../net/prefix.ts';
import { asPathFault, asPathText } from './as-path.ts';
import * as common from './common.ts';
import { communitiesOf, communityFault, communityPattern } from './community.ts';

export const policyDirection = z.enum(['import', 'export']);
const policyAction = z.enum(['permit', 'deny']);

/** As `common.prefix`, and names the prefix that was probably meant. */
const prefix = z
  .string()
  .max(addressTextMax)
  .transform((text, context) => {
    const canonical = canonicalPrefix(text);
    if (canonical !== null) return canonical;
    context.addIssue({ code: 'custom', message: prefixFault(text) });
    return z.NEVER;
  })
  .meta({ pattern: common.prefixPattern, description: 'address/length, host bits zero' });

function prefixFault(text: string): string {
  const [, addressText = '', lengthText = ''] = /^([^/]+)\/(\d{1,3})$/.exec(text) ?? [];
  const address = parseAddress(addressText);
  const length = Number(lengthText);
  if (address === null || length > widthOf[address.family]) {
    return `"${text}" is not a prefix: write address/length, such as fd00:1:2:3::/64 or 10.1.0.0/16`;
  }
  const block = { ...address, length };
  const corrected = formatPrefix({ ...block, bits: block.bits & ~hostMask(block) });
  return `"${text}" has host bits set: write ${corrected}, or ${formatAddress(address)}/${widthOf[address.family]} for the address alone`;
}

const community = z
  .string()
  .max(limits.communityTextMax)
  .transform((text, context) => {
    const message = communityFault(text);
    if (message === null) return communitiesOf(text).join(' ');
    context.addIssue({ code: 'custom', message });
    return z.NEVER;
  })
  .meta({ pattern: communityPattern });

const asPath = z
  .string()
  .min(1)
  .max(limits.asPathTextMax)
  .superRefine((text, context) => {
    const message = asPathFault(text);
    if (message !== null) context.addIssue({ code: 'custom', message });
  })
  .meta({ pattern: asPathText });

const prependRule = `must be a number from 1 to ${limits.ownPrependMax}, for the AS number of the account that many times, or a text of up to ${limits.prependedMax} other AS numbers, such as "65001 65001"`;

/** A number: the account's own AS number so many times. A text: these AS numbers. */
const prepend = z.union(
  [
    z.int(prependRule).min(1, prependRule).max(limits.ownPrependMax, prependRule),
    z
      .string()
      .max(limits.prependTextMax)
      .transform((text, context) => {
        const words = text.split(' ').filter((word) => word !== '');
        const isRight = (word: string) => /^[1-9]\d{0,9}$/.test(word) && Number(word) <= limits.metricMax;
        if (words.length > 0 && words.length <= limits.prependedMax && words.every(isRight)) {
          return words.join(' ');
        }
        context.addIssue({ code: 'custom', message: prependRule });
        return z.NEVER;
      })
      .meta({ pattern: '^ *[1-9][0-9]{0,9}(?: +[1-9][0-9]{0,9})* *$' }),
  ],
  { error: (issue) => (issue.code === 'invalid_union' ? prependRule : undefined) },
);
const metric = z.int().min(0).max(limits.metricMax);
const prefixLength = z.int().min(0).max(widthOf[6]);

const match = z
  .strictObject({
    prefix: prefix
      .optional()
      .meta({ description: 'Exactly this prefix, or its subnets by prefix_ge, prefix_le' }),
    prefix_ge: prefixLength.optional().meta({ description: 'Prefixes inside it of at least this length' }),
    prefix_le: prefixLength.optional().meta({ description: 'Prefixes inside it of at most this length' }),
    peer: common.id.optional().meta({ description: 'The peer that announces the prefix' }),
    community: community.optional().meta({ description: 'The path has all of these' }),
    as_path: asPath.optional().meta({ description: 'A regular expression; _ is an end or a separator' }),
  })
  .superRefine(checkLengths);

function checkLengths(value: LengthsMatched, context: z.RefinementCtx): void {
  for (const [path, message] of lengthFaults(value)) {
    context.addIssue({ code: 'custom', path: [path], message });
  }
}

interface LengthsMatched {
  readonly prefix?: string | undefined;
  readonly prefix_ge?: number | undefined;
  readonly prefix_le?: number | undefined;
}

function* lengthFaults(value: LengthsMatched): Generator<readonly [keyof LengthsMatched, string]> {
  const { prefix_ge: ge, prefix_le: le } = value;
  const lengths = [
    ['prefix_ge', ge],
    ['prefix_le', le],
  ] as const;
  if (value.prefix === undefined) {
    for (const [path, length] of lengths) {
      if (length !== undefined) yield [path, 'needs a prefix: add match.prefix, or leave it out'];
    }
    return;
  }
  const block = parsePrefix(value.prefix);
  if (block === null) return;
  const width = widthOf[block.family];
  for (const [path, length] of lengths) {
    if (length === undefined) continue;
    if (length > width)
      yield [path, `is longer than an address: write ${width} at most for IPv${block.family}`];
    if (length < block.length) {
      yield [
        path,
        `can never match: a prefix inside ${value.prefix} is not shorter than /${block.length}; write ${block.length} or more`,
      ];
    }
  }
  if (ge !== undefined && le !== undefined && le < ge) {
    yield ['prefix_le', `can never match: it is less than prefix_ge (${ge}); write ${ge} or more`];
  }
}

const set = z.strictObject({
  local_pref: metric.optional().meta({ description: 'The higher one wins; 100 when nothing sets it' }),
  med: metric.optional().meta({ description: 'The lower one wins' }),
  community: community.optional().meta({ description: 'In place of those that the path has' }),
  prepend: prepend.optional(),
  next_hop: common.address.optional().meta({ description: 'The IPv6 address of a peer of the network' }),
});

const statement = z
  .strictObject({
    seq: z.int().min(1).max(limits.statementSeqMax),
    match: match.default({}),
    set: set.default({}),
    action: policyAction,
  })
  .superRefine((value, context) => {
    if (value.action !== 'deny') return;
    for (const member of Object.keys(value.set)) {
      const message = 'does nothing, because a denied path is dropped: leave it out, or permit';
      context.addIssue({ code: 'custom', path: ['set', member], message });
    }
  });

/** In the order of `seq`. */
export const policyStatements = z
  .array(statement)
  .min(1)
  .max(limits.statementsPerPolicyMax)
  .superRefine((list, context) => {
    const seen = new Map<number, number>();
    for (const [i, { seq }] of list.entries()) {
      const earlier = seen.get(seq);
      if (earlier === undefined) seen.set(seq, i);
      else {
        const message = `is the seq of statement ${earlier} too: give each statement a seq of its own, in the order of evaluation`;
        context.addIssue({ code: 'custom', path: [i, 'seq'], message });
      }
    }
  })
  .transform((list) => list.toSorted((a, b) => a.seq - b.seq));
export type PolicyStatement = z.infer<typeof statement>;

const statementShown = z.object({
  seq: z.int(),
  match: z.object({
    prefix: z.string().optional(),
    prefix_ge: z.int().optional(),
    prefix_le: z.int().optional(),
    peer: common.id.optional(),
    community: z.string().optional(),
    as_path: z.string().optional(),
  }),
  set: z.object({
    local_pref: z.int().optional(),
    med: z.int().optional(),
    community: z.string().optional(),
    prepend: z.union([z.int(), z.string()]).optional(),
    next_hop: z.string().optional(),
  }),
  action: policyAction,
});

export const routePolicy = z.object({
  ...common.base,
  network_id: common.id,
  name: common.name,
  direction: policyDirection,
  statements: z.array(statementShown),
});
export type RoutePolicy = z.infer<typeof routePolicy>;
