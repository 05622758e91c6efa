// The platform's certificate authorities: a root each, which issues. The only module that knows the X.509 library.
// Where the roots are kept: authority-store.ts. Who gets a certificate: enrol.ts, renew.ts, fresh-certificate.ts.
import 'reflect-metadata';
import { hash, randomBytes, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import * as x509 from '@peculiar/x509';
import { ProductError } from '@powernode/core/errors';
import * as limits from '@powernode/core/limits/trust';
import { PrivateKey } from '@powernode/core/private-key';
import { parseInstanceId, spiffe } from '@powernode/core/wire/enrolment';
import { z } from 'zod';
import type { Clock } from './clock.ts';
import type { SealKey } from './seal.ts';

/** The library's name for a key of the Web Crypto API, which more than one declaration of the runtime has. */
type SigningKey = x509.X509CertificateCreateWithKeyParams['signingKey'];

/**
 * Machines trust the one, people's browsers may trust the other: they know no Ed25519, and their users import it, which
 * must not make them trust whatever the first says.
 */
export type AuthorityKind = 'nodes' | 'operators';

const ed25519 = { name: 'Ed25519' } as const;
const p256 = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const kinds = {
  nodes: {
    algorithm: ed25519,
    newKeys: () => crypto.subtle.generateKey(ed25519, true, ['sign', 'verify']),
    sealPurpose: 'authority private key',
    title: 'authority',
  },
  operators: {
    algorithm: p256,
    newKeys: () => crypto.subtle.generateKey(p256, true, ['sign', 'verify']),
    sealPurpose: 'operator authority private key',
    title: 'operator authority',
  },
} as const satisfies Record<AuthorityKind, object>;

const dayMs = 24 * 3600 * 1000;
/** What every Ed25519 SubjectPublicKeyInfo (RFC 8410) begins with; the 32 bytes of the key follow. */
const ed25519Prefix = Buffer.from('302a300506032b6570032100', 'hex');

export const storedAuthority = z.strictObject({
  trust_domain: z.string(),
  certificate_pem: z.string(),
  sealed_private_key: z.string(),
});
export type StoredAuthority = z.infer<typeof storedAuthority>;

export interface AuthorityParts {
  readonly kind: AuthorityKind;
  readonly sealKey: SealKey;
  readonly clock: Pick<Clock, 'now'>;
}

/** What a certificate is to say. Everything in it is the authority's word; nothing is copied from a request. */
export interface Issue {
  /** SubjectPublicKeyInfo in DER, of the authority's own kind of key. */
  readonly publicKey: Uint8Array;
  readonly commonName: string;
  readonly names: readonly { readonly type: 'url' | 'dns' | 'ip'; readonly value: string }[];
  readonly use: 'client' | 'server';
  readonly days: number;
}

export interface IssuedCertificate {
  readonly pem: string;
  /** 32 hexadecimal digits in lower case. */
  readonly serial: string;
  readonly expiresAt: Date;
}

export interface ServerIdentity {
  /** The leaf and the authority's certificate: whoever knows only a fingerprint finds it in the chain. */
  readonly chainPem: string;
  readonly privateKey: PrivateKey;
  readonly expiresAt: Date;
}

/** Of the authority's own kind of key. */
export interface ServerKey {
  /** SubjectPublicKeyInfo in DER. */
  readonly publicKey: Uint8Array;
  readonly privateKey: PrivateKey;
}

/** Whom a certificate of this authority speaks for. */
export interface InstanceIdentity {
  readonly accountId: string;
  readonly instanceId: string;
  readonly serial: string;
  readonly expiresAt: Date;
}

/** A new root, with its private key sealed, as it is to be stored. */
export async function makeAuthority({ kind, sealKey, clock }: AuthorityParts): Promise<StoredAuthority> {
  const { algorithm, newKeys, sealPurpose, title } = kinds[kind];
  const trustDomain = randomBytes(16).toString('hex');
  const keys = await newKeys();
  const notBefore = new Date(clock.now() - limits.certificateBackdateMs);
  const certificate = await x509.X509CertificateGenerator.createSelfSigned({
    serialNumber: newSerial(),
    name: `CN=Powernode ${title} ${trustDomain.slice(0, 8)}`,
    notBefore,
    notAfter: new Date(notBefore.getTime() + limits.authorityDays * dayMs),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new x509.BasicConstraintsExtension(true, 0, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
      new x509.SubjectAlternativeNameExtension([{ type: 'url', value: `spiffe://${trustDomain}` }]),
    ],
  });
  const secret = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
  const sealed = sealKey.seal({ purpose: sealPurpose, secret });
  secret.fill(0);
  return {
    trust_domain: trustDomain,
    certificate_pem: `${certificate.toString('pem')}\n`,
    sealed_private_key: sealed,
  };
}

/** The authority as stored, ready to issue. The private key cannot be taken out of it. */
export async function unsealAuthority(
  stored: StoredAuthority,
  { kind, sealKey, clock }: AuthorityParts,
): Promise<Authority> {
  const { algorithm, sealPurpose } = kinds[kind];
  const pkcs8 = sealKey.open({ purpose: sealPurpose, sealed: stored.sealed_private_key });
  const signingKey = await crypto.subtle.importKey('pkcs8', new Uint8Array(pkcs8), algorithm, false, [
    'sign',
  ]);
  pkcs8.fill(0);
  return new Authority({
    kind,
    clock,
    signingKey,
    trustDomain: stored.trust_domain,
    certificatePem: stored.certificate_pem,
  });
}

interface Opened {
  readonly kind: AuthorityKind;
  readonly clock: Pick<Clock, 'now'>;
  readonly signingKey: SigningKey;
  readonly trustDomain: string;
  readonly certificatePem: string;
}

export class Authority {
  readonly trustDomain: string;
  readonly certificatePem: string;
  readonly #kind: (typeof kinds)[AuthorityKind];
  readonly #clock: Pick<Clock, 'now'>;
  readonly #signingKey: SigningKey;
  readonly #certificate: X509Certificate;
  readonly #subject: string;
  readonly #keyIdentifier: Promise<x509.Extension>;

  constructor(parts: Opened) {
    this.trustDomain = parts.trustDomain;
    this.certificatePem = parts.certificatePem;
    this.#kind = kinds[parts.kind];
    this.#clock = parts.clock;
    this.#signingKey = parts.signingKey;
    this.#certificate = new X509Certificate(parts.certificatePem);
    const own = new x509.X509Certificate(parts.certificatePem);
    this.#subject = own.subject;
    this.#keyIdentifier = x509.AuthorityKeyIdentifierExtension.create(own.publicKey);
  }

  /** SHA-256 of the certificate (DER) in hex: what join tokens carry. */
  fingerprint(): string {
    return hash('sha256', this.#certificate.raw);
  }

  /** The SPIFFE ID of the platform itself. */
  get platformId(): string {
    return spiffe.platform(this.trustDomain);
  }

  /** Makes a certificate. It never lives longer than the authority's own. */
  async issue(request: Issue): Promise<IssuedCertificate> {
    const serial = newSerial();
    const notBefore = new Date(
      Math.max(this.#clock.now() - limits.certificateBackdateMs, Date.parse(this.#certificate.validFrom)),
    );
    const expiresAt = new Date(
      Math.min(notBefore.getTime() + request.days * dayMs, Date.parse(this.#certificate.validTo)),
    );
    const spki = Buffer.from(request.publicKey);
    const publicKey = await crypto.subtle.importKey('spki', spki, this.#kind.algorithm, true, ['verify']);
    const usage = request.use === 'client' ? 'clientAuth' : 'serverAuth';
    const certificate = await x509.X509CertificateGenerator.create({
      serialNumber: serial,
      subject: [{ CN: [request.commonName] }],
      issuer: this.#subject,
      notBefore,
      notAfter: expiresAt,
      publicKey,
      signingKey: this.#signingKey,
      signingAlgorithm: this.#kind.algorithm,
      extensions: [
        new x509.BasicConstraintsExtension(false, undefined, true),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[usage]]),
        new x509.SubjectAlternativeNameExtension([...request.names]),
        await this.#keyIdentifier,
      ],
    });
    return { pem: `${certificate.toString('pem')}\n`, serial, expiresAt };
  }

  /** A machine's certificate, which says which instance of which account it is. */
  issueInstanceCertificate(instance: {
    readonly accountId: string;
    readonly instanceId: string;
    readonly publicKey: Uint8Array;
  }): Promise<IssuedCertificate> {
    const uri = spiffe.instance(this.trustDomain, instance.accountId, instance.instanceId);
    return this.issue({
      publicKey: instance.publicKey,
      commonName: instance.instanceId,
      names: [{ type: 'url', value: uri }],
      use: 'client',
      days: limits.nodeCertificateDaysMax,
    });
  }

  /** A certificate for a listener of the platform under these names and addresses, with a fresh key or a given one. */
  async issueServerCertificate({
    hosts,
    key,
  }: {
    readonly hosts: readonly string[];
    readonly key?: ServerKey | undefined;
  }): Promise<ServerIdentity> {
    const { publicKey, privateKey } = key ?? (await this.#newServerKey());
    const issued = await this.issue({
      publicKey,
      commonName: 'Powernode platform',
      names: [{ type: 'url', value: this.platformId }, ...[...new Set(hosts)].map(hostName)],
      use: 'server',
      days: limits.serverCertificateDays,
    });
    return {
      chainPem: `${issued.pem}${this.certificatePem}`,
      privateKey,
      expiresAt: issued.expiresAt,
    };
  }

  async #newServerKey(): Promise<ServerKey> {
    const keys = await this.#kind.newKeys();
    const pkcs8 = Buffer.from(await crypto.subtle.exportKey('pkcs8', keys.privateKey));
    return {
      publicKey: new Uint8Array(await crypto.subtle.exportKey('spki', keys.publicKey)),
      privateKey: new PrivateKey(x509.PemConverter.encode(pkcs8, 'PRIVATE KEY')),
    };
  }

  /** Whose certificate this is; null unless this authority made it for an instance and it is valid now. */
  identify(certificate: X509Certificate): InstanceIdentity | null {
    const now = this.#clock.now();
    const expiresAt = new Date(certificate.validTo);
    if (now < Date.parse(certificate.validFrom) || now > expiresAt.getTime()) return null;
    if (!certificate.verify(this.#certificate.publicKey)) return null;
    const uri = /^URI:(\S+)$/.exec(certificate.subjectAltName ?? '')?.[1];
    const identity = uri === undefined ? null : parseInstanceId(uri);
    if (identity === null || identity.trustDomain !== this.trustDomain) return null;
    return {
      accountId: identity.accountId,
      instanceId: identity.instanceId,
      serial: certificate.serialNumber.toLowerCase(),
      expiresAt,
    };
  }
}

/** Checks a request's signature and answers its key (SubjectPublicKeyInfo, DER); all else in it is ignored. */
export async function publicKeyOfRequest(csrPem: string): Promise<Buffer> {
  const publicKey = await readRequest(csrPem);
  const isEd25519 = publicKey !== null && publicKey.length === ed25519Prefix.length + 32;
  if (isEd25519 && publicKey.subarray(0, ed25519Prefix.length).equals(ed25519Prefix)) return publicKey;
  throw new ProductError(
    'validation_failed',
    'csr_pem must be one PKCS #10 request in PEM with an Ed25519 key, signed by that key.',
    {
      fields: [
        { path: 'csr_pem', code: 'invalid_csr', message: 'must be a self-signed Ed25519 request in PEM' },
      ],
    },
  );
}

async function readRequest(csrPem: string): Promise<Buffer | null> {
  try {
    const request = new x509.Pkcs10CertificateRequest(csrPem);
    return (await request.verify()) ? Buffer.from(request.publicKey.rawData) : null;
  } catch {
    return null;
  }
}

function hostName(host: string): { readonly type: 'dns' | 'ip'; readonly value: string } {
  const bare = host.replace(/^\[(.*)\]$/, '$1');
  return { type: isIP(bare) === 0 ? 'dns' : 'ip', value: bare };
}

/** 126 random bits, positive and of a fixed length in every notation (RFC 5280 §4.1.2.2). */
function newSerial(): string {
  const bytes = randomBytes(16);
  bytes[0] = ((bytes[0] ?? 0) & 0x3f) | 0x40;
  return bytes.toString('hex');
}
