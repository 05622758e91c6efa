// How the ends of a question survive being written into an address.
import { describe, expect, it } from 'vitest';
import { endText, questionParameters, readEnd } from './ends.ts';

describe('an end', () => {
  it.each([
    { kind: 'peer', value: '0199a000-0000-7000-8000-000000000001' },
    { kind: 'address', value: 'fd00::1' },
  ] as const)('is read back as it was written: %o', (end) => {
    expect(readEnd(endText(end))).toEqual(end);
  });

  it.each([undefined, '', 'peer', 'peer:', 'planet:x'])('is none in %o', (text) => {
    expect(readEnd(text)).toBeNull();
  });
});

describe('a question', () => {
  const from = { kind: 'user_device', value: ' d ' } as const;
  const to = { kind: 'address', value: 'fd00::1' } as const;

  it('names each end by what it is', () => {
    expect(questionParameters('n', { from, to, protocol: 'tcp', port: 443 })).toEqual({
      network_id: 'n',
      source: { user_device_id: 'd' },
      destination: { address: 'fd00::1' },
      protocol: 'tcp',
      port: 443,
    });
  });

  it('has no port where there are none, and no end where none was written', () => {
    const empty = { kind: 'peer', value: '' } as const;
    expect(questionParameters('n', { from: empty, to, protocol: 'icmp6', port: 443 })).toEqual({
      network_id: 'n',
      source: {},
      destination: { address: 'fd00::1' },
      protocol: 'icmp6',
    });
  });
});
