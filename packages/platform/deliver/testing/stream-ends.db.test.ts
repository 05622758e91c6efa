// A machine's stream ends with its right: its certificate, and its place in the fleet.
import { createPublicKey } from 'node:crypto';
import { certificateBackdateMs } from '@powernode/core/limits/trust';
import { promisedMs } from '@powernode/core/testing/quiet';
import { spiffe } from '@powernode/core/wire/enrolment';
import { closeCodes } from '@powernode/core/wire/node-stream';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { inAccount } from '../../store/tenancy.ts';
import { makeMachine } from '../../trust/machine.fixture.ts';
import { renewSimulated } from '../simulated-enrolment.ts';
import type { NodeCredentials } from '../simulated-node.ts';
import { type JoinedNode, Stage } from './stage.fixture.ts';

let stage: Stage;
beforeAll(async () => {
  stage = await Stage.open();
});
afterAll(() => stage.close());

async function joined(): Promise<JoinedNode> {
  const machine = await stage.join();
  await machine.node.connect();
  await stage.until(() => machine.node.received.documents === 1);
  return machine;
}

async function renew(credentials: NodeCredentials): Promise<NodeCredentials> {
  const { csrPem, keyPem } = await makeMachine();
  const certificatePem = await renewSimulated({ nodeUrl: stage.nodeUrl, credentials, csrPem });
  return { ...credentials, keyPem, certificatePem };
}

/** Within a second of what happened just now. */
async function endsInTime(isOver: () => boolean): Promise<void> {
  const startMs = performance.now();
  await stage.until(isOver);
  expect(performance.now() - startMs, 'after so many ms').toBeLessThan(promisedMs(1000));
}

it('ends when another process terminates the machine and nobody says so [9.4]', async () => {
  const { node, instanceId } = await joined();
  const other = await joined();
  await stage.terminateSilently(instanceId);
  await endsInTime(() => node.ended !== null);
  expect(node.ended?.code).toBe(closeCodes.revoked);
  expect(other.node.connected).toBe(true);
});

it('ends when its certificate expires, and the machine comes back with a renewed one [9.4]', async () => {
  const { instanceId, credentials } = await stage.join();
  const issued = await stage.authority.issue({
    publicKey: createPublicKey(credentials.keyPem).export({ type: 'spki', format: 'der' }),
    commonName: instanceId,
    names: [
      { type: 'url', value: spiffe.instance(stage.authority.trustDomain, stage.accountId, instanceId) },
    ],
    use: 'client',
    days: (certificateBackdateMs + 3000) / 86_400_000,
  });
  await inAccount(stage.store, stage.accountId, (trx) =>
    trx
      .updateTable('instances')
      .set({ certificate_serial: issued.serial })
      .where('id', '=', instanceId)
      .execute(),
  );
  const brief = { ...credentials, certificatePem: issued.pem };
  const node = stage.nodeWith(brief);
  await node.connect();
  const renewed = await renew(brief);
  await stage.until(() => node.ended !== null);
  expect(node.ended?.code).toBe(closeCodes.certificate);
  await expect(node.connect()).rejects.toThrow();
  const back = stage.nodeWith(renewed);
  await back.connect();
  await stage.until(() => back.received.documents === 1);
});

it('ends when a renewed certificate is used at another process [9.4]', async () => {
  const machine = await joined();
  const neighbour = await stage.neighbour();
  const renewed = await renew(machine.credentials);
  expect(machine.node.connected).toBe(true);
  const elsewhere = neighbour.nodeFor({ ...machine, credentials: renewed });
  await elsewhere.connect();
  await endsInTime(() => machine.node.ended !== null);
  expect(machine.node.ended?.code).toBe(closeCodes.certificate);
  expect(elsewhere.connected).toBe(true);
  elsewhere.drop();
  await neighbour.close();
});
