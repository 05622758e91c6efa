// Joining: what is proven before the token is shown, and what the operator is told when it does not work.
import { X509Certificate } from 'node:crypto';
import http from 'node:http';
import type { AddressInfo } from 'node:net';
import { joinBusyMs } from '@powernode/core/limits/trust';
import { discoveryPath } from '@powernode/core/wire/enrolment';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { freshFolder } from '../fixtures/folder.ts';
import { accountId, FixturePlatform } from '../fixtures/platform.ts';
import { systemClock } from '../ports/clock.ts';
import { readIdentity, writeIdentity } from '../state/identity.ts';
import { enrol } from './enrol.ts';

let platform: FixturePlatform;
const opened: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  platform = new FixturePlatform();
  await platform.listen({ host: '127.0.0.1' });
  opened.push(() => platform.down());
});

afterEach(async () => {
  for (const close of opened.splice(0)) await close();
});

const urlOf = (one: FixturePlatform) => `https://127.0.0.1:${one.port}`;

function joinWith(token: string, platformUrl = urlOf(platform)) {
  return enrol({ platformUrl, token, hostname: 'edge', unusedKeys: [], clock: systemClock });
}

/** What an operators' listener answers to the question where nodes have to go. */
async function discoveryServer(answer: unknown): Promise<string> {
  const server = http.createServer((request, response) => {
    if (request.url !== discoveryPath) response.writeHead(404);
    response.end(JSON.stringify(answer));
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  opened.push(() => new Promise((resolve) => server.close(resolve)));
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

describe('joining', () => {
  test('gives an identity whose certificate is for a key made here', async () => {
    const identity = await joinWith(platform.makeToken());
    const certificate = new X509Certificate(identity.certificate_pem);
    expect(certificate.subjectAltName).toContain(`/account/${accountId}/instance/${identity.instance_id}`);
    expect(certificate.verify(new X509Certificate(identity.authority_pem).publicKey)).toBe(true);
    expect(identity).toMatchObject({
      hostname: 'edge',
      account_id: accountId,
      node_url: `${urlOf(platform)}/`,
    });
    const folder = freshFolder();
    writeIdentity(folder, identity);
    expect(readIdentity(folder)).toEqual(identity);
  });

  test('finds the node listener by asking the operators’ one', async () => {
    const url = await discoveryServer({ node_url: urlOf(platform), platform_version: '1' });
    const identity = await joinWith(platform.makeToken(), url);
    expect(identity).toMatchObject({ platform_url: `${url}/`, node_url: `${urlOf(platform)}/` });
  });

  test('says when the address is not one of a platform', async () => {
    const url = await discoveryServer({ hello: 'world' });
    await expect(joinWith(platform.makeToken(), url)).rejects.toMatchObject({
      code: 'platform_unreachable',
      detail: expect.stringContaining('is not a Powernode platform'),
    });
  });

  test('says what the platform said of the token', async () => {
    const token = platform.makeToken();
    await joinWith(token);
    await expect(joinWith(token)).rejects.toMatchObject({
      code: 'unauthenticated',
      detail: 'This join token was used already.',
    });
  });

  test('comes again when the platform says that others are first, and gives up in the end [9.6]', async () => {
    const waits: number[] = [];
    let nowMs = 0;
    const clock = {
      ...systemClock,
      monotonicMs: () => nowMs,
      after(delayMs: number, fire: () => void) {
        waits.push(delayMs);
        nowMs += delayMs;
        const timer = setImmediate(fire);
        return () => clearImmediate(timer);
      },
    };
    const joinAgain = () =>
      enrol({
        platformUrl: urlOf(platform),
        token: platform.makeToken(),
        hostname: 'edge',
        unusedKeys: [],
        clock,
      });
    platform.busy = { times: 2, seconds: 3 };
    expect(await joinAgain()).toMatchObject({ hostname: 'edge' });
    expect(waits).toHaveLength(2);
    for (const wait of waits) expect(wait).toBeGreaterThanOrEqual(1500);
    platform.busy = { times: 1000, seconds: 60 };
    await expect(joinAgain()).rejects.toMatchObject({ code: 'busy' });
    expect(nowMs).toBeLessThanOrEqual(joinBusyMs + 10_000);
  });

  test('says when nobody answers', async () => {
    const url = urlOf(platform);
    const token = platform.makeToken();
    await platform.down();
    await expect(joinWith(token, url)).rejects.toMatchObject({
      code: 'platform_unreachable',
      detail: expect.stringMatching(/127\.0\.0\.1:\d+ does not answer \(ECONNREFUSED/),
    });
  });

  test.each(['', 'pnj_short_00', 'pnj_'])('refuses "%s" as a token before it asks anybody', async (token) => {
    await expect(joinWith(token, 'https://127.0.0.1:1')).rejects.toMatchObject({ code: 'usage' });
  });

  test('refuses an address of another kind', async () => {
    await expect(joinWith(platform.makeToken(), 'ftp://x')).rejects.toMatchObject({ code: 'usage' });
  });
});

describe('the token is not shown', () => {
  test('to a platform that is not the one it names', async () => {
    const other = new FixturePlatform();
    await other.listen({ host: '127.0.0.1' });
    opened.push(() => other.down());
    await expect(joinWith(platform.makeToken(), urlOf(other))).rejects.toMatchObject({
      code: 'untrusted_peer',
      detail: expect.stringContaining('does not show the authority that the join token names'),
    });
    expect(other.enrolments).toBe(0);
  });

  test('to somebody who shows the right authority behind a certificate that it did not sign', async () => {
    const impostor = new FixturePlatform();
    impostor.showsAlso = platform.authorityPem;
    await impostor.listen({ host: '127.0.0.1' });
    opened.push(() => impostor.down());
    await expect(joinWith(platform.makeToken(), urlOf(impostor))).rejects.toMatchObject({
      code: 'untrusted_peer',
    });
    expect(impostor.enrolments).toBe(0);
  });

  test('to a machine of the same authority that is not the platform', async () => {
    const machine = await platform.listenAs(`spiffe://${platform.trustDomain}/account/a/instance/b`);
    opened.push(() => machine.close());
    await expect(joinWith(platform.makeToken(), machine.url)).rejects.toMatchObject({
      code: 'untrusted_peer',
      detail: expect.stringContaining('is not one of a platform'),
    });
  });
});
