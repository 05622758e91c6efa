// What each view of a network is given.
import type { Output } from '../../api/client.ts';

export type Network = Output<'getNetwork'>['network'];

export interface ViewProps {
  readonly network: Network;
}
