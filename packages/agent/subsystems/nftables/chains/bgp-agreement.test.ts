// The rules that are loaded for BGP against what core says of the same packets: each line is read as the kernel reads it.
import { bgpSpeakerOf, bgpVerdict } from '@powernode/core/explain/bgp-ports';
import type { EntryValue } from '@powernode/core/wire/document';
import { nodeDocumentOf } from '@powernode/core/wire/node-document.fixture';
import fc from 'fast-check';
import { expect, test } from 'vitest';
import { bgpIntentsOf, bgpRules } from './bgp-rules.ts';

const network_id = '01890000-0000-7000-8000-00000000000a';
const [own, near, far] = ['fd00:99::101', 'fd00:99::102', 'fd00:99::103'] as const;
const entries: readonly EntryValue[] = [
  {
    ...{ kind: 'bgp', key: `bgp/${network_id}`, network_id, as_number: 65_010 },
    ...{ router_id: '0.0.1.1', host_address: own, role: 'client' },
  },
  {
    ...{ kind: 'bgp_neighbor', key: `bgp_neighbor/${network_id}/1`, network_id },
    ...{ peer_id: '1', host_address: near, role: 'reflector' },
  },
];
const document = nodeDocumentOf(entries);

interface Sent {
  readonly source: string;
  readonly destination: string;
  readonly protocol: 'tcp' | 'udp';
  readonly port: number;
}

/** The first line that a packet matches which begins a connection, from a port that is nobody's. */
function verdictOfLines(lines: readonly string[], sent: Sent): string | null {
  for (const line of lines) {
    const verdict = / (accept|drop)$/.exec(line)?.[1] ?? expect.fail(`${line} has no verdict`);
    if (isMatch(line, sent)) return verdict;
  }
  return null;
}

function isMatch(line: string, { source, destination, protocol, port }: Sent): boolean {
  const among = (text: string | undefined) =>
    text === '@pn_bgp_test' ? [near] : text === undefined ? null : [text];
  const from = among(/ip6 saddr (\S+)/.exec(line)?.[1]);
  const to = among(/ip6 daddr (\S+)/.exec(line)?.[1]);
  const ports = /(tcp|udp) (dport|sport) (?:\{ ([^}]+) \}|(\d+))/.exec(line) ?? expect.fail(line);
  const [, of, side, several, one] = ports;
  const numbers = (several ?? one ?? '').split(',').map(Number);
  const isFrom = from === null || from.some((address) => address === source);
  const isTo = to === null || to.some((address) => address === destination);
  return isFrom && isTo && of === protocol && side === 'dport' && numbers.includes(port);
}

test('are what the explanation says, for every packet', () => {
  const intent = bgpIntentsOf(document)[0];
  const speaker = bgpSpeakerOf(document, network_id);
  const address = fc.constantFrom(own, near, far);
  const packet = fc.record({
    source: address,
    destination: address,
    protocol: fc.constantFrom('tcp' as const, 'udp' as const),
    port: fc.constantFrom(178, 179, 180, 3784, 3785, 4784, 4785, 443),
  });
  fc.assert(
    fc.property(fc.constantFrom('ingress' as const, 'egress' as const), packet, (hook, sent) => {
      const lines = bgpRules(hook, { handle: 'test', bgp: intent });
      expect(bgpVerdict(speaker, { hook, ...sent }, sent)).toBe(verdictOfLines(lines, sent));
    }),
    { numRuns: 500 },
  );
});
