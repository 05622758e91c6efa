// How entries of documents name tunnels: by the interface and the key of the other end.
import { z } from 'zod';
import { tunnelsPerPeerMax } from '../limits/texts.ts';
import { openObject } from './open-object.ts';
import { interfaceName, publicKey } from './texts.ts';

export const tunnelName = openObject({ interface: interfaceName, public_key: publicKey });
export type TunnelName = z.infer<typeof tunnelName>;

/** By which one peer can be met. */
export const tunnelsToPeer = z.array(tunnelName).min(1).max(tunnelsPerPeerMax);
