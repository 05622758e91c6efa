// Test support: a machine on a stage that is connected, and how often what it says of itself is followed.
import type { JoinedNode, Stage } from './stage.fixture.ts';

/** It is in a network and has its document. */
export async function connected(stage: Stage): Promise<JoinedNode & { readonly looks: () => number }> {
  const network = await stage.network();
  const joined = await stage.join();
  const { instanceId, node } = joined;
  await stage.attach(network, instanceId);
  await node.connect();
  await stage.until(() => stage.inSync(instanceId));
  const looks = () => stage.observed.filter((one) => one.instanceId === instanceId).length;
  return { ...joined, looks };
}
