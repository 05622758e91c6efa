// Renewal: when it is time, and what is stored afterwards.
import { X509Certificate } from 'node:crypto';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { FixturePlatform } from '../fixtures/platform.ts';
import { FakeClock } from '../ports/clock.fixture.ts';
import { systemClock } from '../ports/clock.ts';
import type { Identity } from '../state/identity.ts';
import { enrol } from './enrol.ts';
import { Renewal, renewAtMs } from './renew.ts';

const dayMs = 24 * 3600 * 1000;
let platform: FixturePlatform;

beforeEach(async () => {
  platform = new FixturePlatform();
  await platform.listen({ host: '127.0.0.1' });
});

afterEach(() => platform.down());

function join(): Promise<Identity> {
  const platformUrl = `https://127.0.0.1:${platform.port}`;
  return enrol({
    platformUrl,
    token: platform.makeToken(),
    hostname: 'edge',
    unusedKeys: [],
    clock: systemClock,
  });
}

/** What a renewal with that identity does at a moment of its own. */
async function renewal(identity: Identity, nowMs: number) {
  const clock = new FakeClock(nowMs);
  const outcome = Promise.withResolvers<Identity>();
  const watcher = new Renewal({
    clock,
    identity: () => identity,
    renewed: outcome.resolve,
    failed: (error) => outcome.reject(error instanceof Error ? error : new Error(String(error))),
  });
  watcher.start();
  return { clock, watcher, outcome: outcome.promise };
}

test('a certificate is renewed at two thirds of its life', async () => {
  const identity = await join();
  const from = Date.parse(new X509Certificate(identity.certificate_pem).validFrom);
  expect(renewAtMs(identity.certificate_pem)).toBe(from + 60 * dayMs);
});

test('before that nothing is asked for, and then a new key and a certificate for it', async () => {
  const identity = await join();
  const { clock, watcher, outcome } = await renewal(identity, renewAtMs(identity.certificate_pem) - 60_000);
  await clock.advance(60_000 - 1);
  expect(platform.renewals).toBe(0);
  await clock.advance(10 * 60_000);
  const renewed = await outcome;
  watcher.stop();
  expect(renewed.key_pem.equals(identity.key_pem)).toBe(false);
  expect(renewed).toMatchObject({ instance_id: identity.instance_id, joined_at: identity.joined_at });
  const certificate = new X509Certificate(renewed.certificate_pem);
  expect(certificate.subjectAltName).toBe(new X509Certificate(identity.certificate_pem).subjectAltName);
});

test('a platform that is away makes it fail, to be tried again', async () => {
  const identity = await join();
  await platform.down();
  const { watcher, outcome } = await renewal(identity, renewAtMs(identity.certificate_pem));
  await expect(outcome).rejects.toMatchObject({ code: 'platform_unreachable' });
  watcher.stop();
});
