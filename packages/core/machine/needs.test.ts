// What a machine needs, by use.
import { describe, expect, it } from 'vitest';
import { describeMissing, type MachineUse, missingPrograms, packagesOf } from './needs.ts';

const facts = (programs: readonly string[], kernel: boolean) => ({
  hasProgram: (command: string) => programs.includes(command),
  hasKernelWireguard: () => kernel,
});
const commands = (use: MachineUse, have: readonly string[], kernel: boolean) =>
  missingPrograms(use, facts(have, kernel)).map(({ command }) => command);

describe('what a machine needs', () => {
  it('names wireguard-go for agent and lab exactly where the kernel has no WireGuard [9.17]', () => {
    for (const use of ['agent', 'lab'] as const) {
      expect(commands(use, [], false)).toContain('wireguard-go');
      expect(commands(use, [], true)).not.toContain('wireguard-go');
      expect(commands(use, ['wireguard-go'], false)).not.toContain('wireguard-go');
    }
    expect(commands('tests', [], true)).toContain('wireguard-go');
  });

  it('names everything at once: a lab needs what its agents need, the tests what labs need [9.17]', () => {
    const agent = commands('agent', [], false);
    const lab = commands('lab', [], false);
    const tests = commands('tests', [], false);
    expect(lab).toEqual(expect.arrayContaining(agent));
    expect(tests).toEqual(expect.arrayContaining(lab));
    expect(commands('tests', tests, false)).toEqual([]);
  });

  it('asks the kernel only when the answer matters', () => {
    const never = {
      hasProgram: () => true,
      hasKernelWireguard: () => {
        throw new Error('asked');
      },
    };
    expect(missingPrograms('agent', never)).toEqual([]);
  });

  it('says each package once, in the line that brings it without recommended ones [9.17]', () => {
    const missing = missingPrograms('lab', facts(['ip', 'ss', 'nft', 'nice', 'ping'], false));
    expect(packagesOf(missing)).toEqual(['wireguard-tools', 'conntrack', 'util-linux', 'wireguard-go']);
    expect(packagesOf(missing, 'fedora')).toEqual([
      'wireguard-tools',
      'conntrack-tools',
      'util-linux-core',
      'util-linux',
    ]);
    expect(describeMissing(missing)).toBe(
      'missing: wg, conntrack, flock, setpriv, unshare, nsenter, wireguard-go. On Debian: apt-get install --no-install-recommends wireguard-tools conntrack util-linux wireguard-go',
    );
  });
});
