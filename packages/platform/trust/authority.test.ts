// Certificates say what they should, for as long as they should, in the eyes of another X.509 implementation.
import { generateKeyPairSync, X509Certificate } from 'node:crypto';
import {
  certificateBackdateMs,
  nodeCertificateDaysMax,
  serverCertificateDays,
} from '@powernode/core/limits/trust';
import { beforeAll, describe, expect, test } from 'vitest';
import { type Authority, makeAuthority, publicKeyOfRequest, unsealAuthority } from './authority.ts';
import { makeMachine } from './machine.fixture.ts';
import { SealKey } from './seal.ts';

const dayMs = 24 * 3600 * 1000;
const accountId = '0199aaaa-0000-7000-8000-000000000001';
const instanceId = '0199aaaa-0000-7000-8000-000000000002';
const start = Date.parse('2026-11-21T12:00:00Z');

let now = start;
const parts = { kind: 'nodes' as const, sealKey: SealKey.make().key, clock: { now: () => now } };
let authority: Authority;
let root: X509Certificate;

beforeAll(async () => {
  authority = await unsealAuthority(await makeAuthority(parts), parts);
  root = new X509Certificate(authority.certificatePem);
});

describe('the root', () => {
  test('is a self-signed authority that signs no further authorities', () => {
    expect(root.ca).toBe(true);
    expect(root.verify(root.publicKey)).toBe(true);
    expect(root.publicKey.asymmetricKeyType).toBe('ed25519');
    expect(root.subjectAltName).toBe(`URI:spiffe://${authority.trustDomain}`);
    expect(authority.fingerprint()).toBe(root.fingerprint256.replaceAll(':', '').toLowerCase());
  });

  test('is stored without its private key in plain', async () => {
    const stored = await makeAuthority(parts);
    expect(stored.sealed_private_key).toMatch(/^v1\./);
    await expect(unsealAuthority(stored, { ...parts, sealKey: SealKey.make().key })).rejects.toThrow(
      /cannot be opened/,
    );
  });
});

test('the root for operators is one that browsers know, and none of the other', async () => {
  const its = { ...parts, kind: 'operators' as const };
  const operators = await unsealAuthority(await makeAuthority(its), its);
  const own = new X509Certificate(operators.certificatePem);
  expect(own.publicKey.asymmetricKeyDetails).toEqual({ namedCurve: 'prime256v1' });
  const identity = await operators.issueServerCertificate({
    hosts: ['[::1]', '192.0.2.1', 'office.example'],
  });
  const leaf = new X509Certificate(identity.chainPem);
  expect(leaf.publicKey.asymmetricKeyType).toBe('ec');
  expect([leaf.verify(own.publicKey), leaf.verify(root.publicKey)]).toEqual([true, false]);
  expect(leaf.checkIP('192.0.2.1')).toBe('192.0.2.1');
  expect(leaf.checkIP('::1')).toBe('::1');
  expect(leaf.checkHost('office.example')).toBe('office.example');
  // What one is stored as is not the other.
  await expect(unsealAuthority(await makeAuthority(its), parts)).rejects.toThrow(/cannot be opened/);
});

describe('the certificate of a machine', () => {
  test('names the instance, may only be a client, and lives 90 days', async () => {
    now = start;
    const machine = await makeMachine();
    const issued = await authority.issueInstanceCertificate({
      accountId,
      instanceId,
      publicKey: await publicKeyOfRequest(machine.csrPem),
    });
    const certificate = new X509Certificate(issued.pem);
    expect(certificate.verify(root.publicKey)).toBe(true);
    expect(certificate.checkIssued(root)).toBe(true);
    expect(certificate.ca).toBe(false);
    expect(certificate.keyUsage).toEqual(['1.3.6.1.5.5.7.3.2']);
    expect(certificate.subjectAltName).toBe(
      `URI:spiffe://${authority.trustDomain}/account/${accountId}/instance/${instanceId}`,
    );
    expect(certificate.publicKey.export({ type: 'spki', format: 'der' })).toEqual(machine.publicKey);
    expect(certificate.serialNumber.toLowerCase()).toBe(issued.serial);
    expect(issued.serial).toMatch(/^[4-7][0-9a-f]{31}$/);
    expect(Date.parse(certificate.validFrom)).toBe(start - certificateBackdateMs);
    expect(Date.parse(certificate.validTo)).toBe(issued.expiresAt.getTime());
    expect(issued.expiresAt.getTime() - (start - certificateBackdateMs)).toBe(nodeCertificateDaysMax * dayMs);
  });

  test('is recognised while it is valid, and only by the authority that made it', async () => {
    now = start;
    const { publicKey } = await makeMachine();
    const { pem, serial } = await authority.issueInstanceCertificate({ accountId, instanceId, publicKey });
    const certificate = new X509Certificate(pem);
    expect(authority.identify(certificate)).toMatchObject({ accountId, instanceId, serial });
    const other = await unsealAuthority(await makeAuthority(parts), parts);
    expect(other.identify(certificate)).toBeNull();
    now = start + (nodeCertificateDaysMax + 1) * dayMs;
    expect(authority.identify(certificate)).toBeNull();
    now = start - 2 * certificateBackdateMs;
    expect(authority.identify(certificate)).toBeNull();
    now = start;
  });

  test('never outlives the root', async () => {
    now = Date.parse(root.validTo) - 10 * dayMs;
    const { publicKey } = await makeMachine();
    const { pem } = await authority.issueInstanceCertificate({ accountId, instanceId, publicKey });
    expect(new X509Certificate(pem).validTo).toBe(root.validTo);
    now = start;
  });
});

describe('the certificate of a listener', () => {
  test('carries the names asked for and the chain, and speaks for no instance', async () => {
    now = start;
    const hosts = ['platform.example', '192.0.2.7', '2001:db8::7', 'platform.example'];
    const server = await authority.issueServerCertificate({ hosts });
    const [leafPem = '', rootPem = ''] = server.chainPem.split(/(?<=-----END CERTIFICATE-----\n)/);
    const leaf = new X509Certificate(leafPem);
    expect(rootPem).toBe(authority.certificatePem);
    expect(leaf.verify(root.publicKey)).toBe(true);
    expect(leaf.checkHost('platform.example')).toBeDefined();
    expect(leaf.checkIP('192.0.2.7')).toBeDefined();
    expect(leaf.checkIP('2001:db8::7')).toBeDefined();
    expect(leaf.subjectAltName).toContain(`URI:${authority.platformId}`);
    expect(leaf.keyUsage).toEqual(['1.3.6.1.5.5.7.3.1']);
    expect(server.privateKey.reveal()).toMatch(/^-----BEGIN PRIVATE KEY-----/);
    expect(server.expiresAt.getTime()).toBe(start - certificateBackdateMs + serverCertificateDays * dayMs);
    expect(authority.identify(leaf)).toBeNull();
  });
});

describe('a certificate request', () => {
  test('gives its key when it is signed by it', async () => {
    const machine = await makeMachine();
    expect(await publicKeyOfRequest(machine.csrPem)).toEqual(machine.publicKey);
  });

  test('is refused when it is changed, no request, or of another kind of key', async () => {
    const machine = await makeMachine();
    const der = Buffer.from(machine.csrPem.replace(/-----[A-Z ]+-----/g, ''), 'base64');
    der[der.length - 1] = (der[der.length - 1] ?? 0) ^ 1;
    const forged = `-----BEGIN CERTIFICATE REQUEST-----\n${der.toString('base64')}\n-----END CERTIFICATE REQUEST-----`;
    const rsa = generateKeyPairSync('rsa', { modulusLength: 2048 }).publicKey;
    const texts = [
      forged,
      '',
      'no pem',
      root.toString(),
      String(rsa.export({ type: 'spki', format: 'pem' })),
    ];
    for (const text of texts) {
      await expect(publicKeyOfRequest(text)).rejects.toThrow(/csr_pem must be one PKCS #10 request/);
    }
  });
});
