// The lab's services, streams and questions, with real packets: what they see when all is well, when the path is
// cut for a while, and when an address moves to another host.
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Lab, upSpec } from '../lab.ts';
import { waitFor } from '../stage/process.ts';
import { ownLabFolder, uniqueName } from '../testing/scene.ts';

const limitMs = 20_000;
const port = 7;
const shared = '2001:db8:51::99';
let lab: Lab;
let removeFolder: () => Promise<void>;

beforeAll(async () => {
  removeFolder = await ownLabFolder();
  lab = await upSpec({
    name: uniqueName('prog'),
    hosts: ['one', 'two', 'asker'].map((name) => ({ name, on: 'public' })),
  });
});

afterAll(async () => {
  await lab?.down();
  await removeFolder();
});

const wire = (host: string) => lab.plan.hosts.find(({ name }) => name === host)?.attachments[0];

async function give(host: string): Promise<void> {
  await lab.exec(host, { program: 'ip', args: ['addr', 'add', `${shared}/64`, 'dev', 'eth0', 'nodad'] });
}

async function take(host: string): Promise<void> {
  await lab.exec(host, { program: 'ip', args: ['addr', 'del', `${shared}/64`, 'dev', 'eth0'] });
  // The neighbours find the new one at once.
  await lab.exec('asker', { program: 'ip', args: ['-6', 'neigh', 'flush', 'to', shared] });
}

test('a service says who it is and whom it sees, over TCP and UDP', async () => {
  const address = wire('one')?.address4 ?? '';
  const service = await lab.serve('one', { tcp: [{ address, port }], udp: [{ address, port }] });
  const stream = await lab.startStream('asker', { address, port });
  const questions = await lab.startAsking('asker', { address, port, intervalMs: 5 });
  await waitFor({ what: 'ten answers', limitMs }, () => questions.answers.length >= 10);
  const [asked, streamed] = [await questions.stop(), await stream.stop()];
  expect(questions.answers[0]).toMatchObject({ name: 'one' });
  expect(questions.answers[0]?.seen_as).toMatch(new RegExp(`^${wire('asker')?.address4}:\\d+$`));
  for (const { sent_ms, at_ms, received_ms } of questions.answers) {
    expect(at_ms).toBeGreaterThan(sent_ms);
    expect(received_ms).toBeGreaterThan(at_ms);
  }
  expect(asked.answered).toBeGreaterThanOrEqual(10);
  expect(streamed).toMatchObject({ ended: null, greetings: [{ name: 'one' }] });
  expect(streamed.echoed).toBeGreaterThan(0);
  await service.end();
});

test('a stream survives a cut that is healed, and knows how long it was', async () => {
  const address = wire('one')?.address4 ?? '';
  const service = await lab.serve('one', { tcp: [{ address, port }] });
  const stream = await lab.startStream('asker', { address, port });
  await lab.cut({ a: 'asker', b: 'one' });
  await lab.exec('two', { program: 'sleep', args: ['0.4'] });
  await lab.heal({ a: 'asker', b: 'one' });
  const after = await lab.startStream('asker', { address, port });
  await after.stop();
  await waitFor({ what: 'the echoes to be back', limitMs }, async () => {
    const sockets = await lab.exec('asker', { program: 'ss', args: ['-Htn', 'state', 'established'] });
    return /^\d+\s+0\s/.test(sockets.stdout.trim());
  });
  const report = await stream.stop();
  expect(report.ended).toBe(null);
  expect(report.longest_gap_ms).toBeGreaterThan(400);
  await service.end();
});

test('a service listens at an address before it has it; a stream that may, goes to whoever has it', async () => {
  const at = { tcp: [{ address: shared, port }], udp: [{ address: shared, port }] };
  for (const host of ['one', 'two']) await lab.bindAnywhere(host);
  const services = [await lab.serve('one', at), await lab.serve('two', at)];
  await give('one');
  const stream = await lab.startStream('asker', { address: shared, port, giveUpMs: 200 });
  const questions = await lab.startAsking('asker', { address: shared, port, intervalMs: 5 });
  const from = (name: string) => () => questions.answers.some((answer) => answer.name === name);
  await waitFor({ what: 'an answer of one', limitMs }, from('one'));
  await take('one');
  await give('two');
  await waitFor({ what: 'an answer of two', limitMs }, from('two'));
  const seen = questions.answers.length;
  await waitFor({ what: 'more answers', limitMs }, () => questions.answers.length > seen + 50);
  expect((await stream.stop()).greetings.map(({ name }) => name)).toEqual(['one', 'two']);
  await questions.stop();
  for (const service of services) await service.end();
});

test('what runs in a host that loses power ends with it, without a report', async () => {
  const address = wire('one')?.address4 ?? '';
  const service = await lab.serve('one', { tcp: [{ address, port }] });
  const stream = await lab.startStream('asker', { address, port });
  await lab.kill('one');
  await service.end();
  const report = await stream.stop();
  expect(report.greetings).toHaveLength(1);
});
