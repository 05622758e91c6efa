// A simulated machine that joins a running platform as a machine does: it enrols with a join token and connects.
import { randomBytes } from 'node:crypto';
import { enrolSimulated } from '../../packages/platform/deliver/simulated-enrolment.ts';
import { type NodeCredentials, SimulatedNode } from '../../packages/platform/deliver/simulated-node.ts';
import { makeMachine } from '../../packages/platform/trust/machine.fixture.ts';

export async function joinSimulated(of: {
  readonly nodeUrl: string;
  readonly token: string;
  readonly hostname: string;
  /** How many unused keys of WireGuard it publishes. */
  readonly unusedKeys: number;
  /** What it has for itself, beside the address that the platform sees. */
  readonly addresses?: readonly string[];
}): Promise<{
  readonly node: SimulatedNode;
  readonly instanceId: string;
  readonly credentials: NodeCredentials;
}> {
  const { nodeUrl, token, hostname, addresses } = of;
  const machine = await makeMachine();
  const fingerprint = token.split('_').at(-1) ?? '';
  const enrolled = await enrolSimulated({ ...machine, nodeUrl, token, fingerprint, hostname });
  const credentials = {
    keyPem: machine.keyPem,
    certificatePem: enrolled.certificate_pem,
    authorityPem: enrolled.authority_pem,
  };
  const node = new SimulatedNode({
    nodeUrl,
    credentials,
    ...(addresses === undefined ? {} : { addresses }),
    unusedKeys: Array.from({ length: of.unusedKeys }, () => randomBytes(32).toString('base64')),
  });
  await node.connect();
  return { node, instanceId: enrolled.instance_id, credentials };
}
