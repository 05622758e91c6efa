// How the agent's things are told from everybody else's by looking at them.
import { interfaceNameShape } from '@powernode/core/wire/texts';

/** Aliases (`ip link set … alias`) of the agent's interfaces: just made, and with everything set. */
export const interfaceMarks = { made: 'powernode-agent:new', prepared: 'powernode-agent' } as const;

/** The group of the agent's interfaces (`ip link set … group`), by which rules of routing know them. Number 212 is in
 * /etc/iproute2/group of no system, so that `ip` prints it as such. */
export const interfaceGroup = '212';

/** In the environment of each userspace WireGuard that the agent starts: the name of its interface. */
export const userspaceMark = 'POWERNODE_INTERFACE';

/** The shape of the agent's interface names. An interface of that name may still be somebody else's. */
export function isInterfaceName(name: string): boolean {
  return interfaceNameShape.test(name);
}
