// Enrolment: a machine with a join token gets its certificate and its place in the fleet. Single use, under a lock.
// The connection already proved that the machine holds the key it shows; here it must be the key of its request.

import { ProductError } from '@powernode/core/errors';
import {
  enrolmentRetrySeconds,
  enrolmentsAtOnceMax,
  enrolmentsWaitingMax,
} from '@powernode/core/limits/trust';
import { asHostname } from '@powernode/core/net/hostname';
import { fieldProblems, validationMessage } from '@powernode/core/validation';
import { type EnrolRequest, type EnrolResponse, enrolRequest } from '@powernode/core/wire/enrolment';
import type { Selectable, Transaction } from 'kysely';
import type { Logger } from 'pino';
import { v7 as uuidv7 } from 'uuid';
import type { z } from 'zod';
import { joinTokenLosses } from '../access/maker-rights.ts';
import { type EventBus, publishEvents } from '../events/event-bus.ts';
import { writeEvents } from '../events/write-events.ts';
import type { Store } from '../store/open-store.ts';
import type { Database } from '../store/tables.ts';
import { inPlatform } from '../store/tenancy.ts';
import { type Authority, type IssuedCertificate, publicKeyOfRequest } from './authority.ts';
import type { Clock } from './clock.ts';
import { GuessLimit } from './guess-limit.ts';
import { makeEvent } from './node-events.ts';
import { parseJoinToken, sameDigest } from './tokens.ts';
import { Turns } from './turns.ts';

export interface EnrolmentOptions {
  readonly store: Pick<Store, 'db'>;
  readonly authority: Authority;
  readonly bus: EventBus;
  readonly clock: Pick<Clock, 'now' | 'steady'>;
  readonly log: Logger;
}

export interface EnrolmentAttempt {
  /** As it came, not yet checked. */
  readonly body: unknown;
  /** The key that the machine's end of the TLS connection holds: SubjectPublicKeyInfo in DER. */
  readonly connectionKey: Buffer;
  /** Address of the machine, for limiting guesses. */
  readonly source: string;
}

/** Lets a machine in, or throws. */
export type Enrol = (attempt: EnrolmentAttempt) => Promise<EnrolResponse>;

export function createEnrolment(options: EnrolmentOptions): Enrol {
  const guesses = new GuessLimit(() => options.clock.steady());
  const turns = new Turns({
    atOnce: enrolmentsAtOnceMax,
    waiting: enrolmentsWaitingMax,
    retryAfterSeconds: enrolmentRetrySeconds,
  });
  return async (attempt) => {
    try {
      return await turns.take(attempt.source, () => enrol(options, attempt));
    } catch (error) {
      if (error instanceof ProductError && error.code === 'unauthenticated') {
        guesses.failed(attempt.source);
        guesses.check(attempt.source);
      }
      throw error;
    }
  };
}

async function enrol(options: EnrolmentOptions, attempt: EnrolmentAttempt): Promise<EnrolResponse> {
  const request = parseRequest(enrolRequest, attempt.body);
  requirePlainText('agent_version', request.agent_version);
  const publicKey = await publicKeyOfRequest(request.csr_pem);
  if (!publicKey.equals(attempt.connectionKey)) {
    throw new ProductError(
      'untrusted_peer',
      'The certificate of this connection has another key than csr_pem. Present a certificate self-signed by the key of the request.',
    );
  }
  const token = parseJoinToken(request.token);
  if (token === null || !sameDigest(token.fingerprint, options.authority.fingerprint())) {
    throw refused('This is not a join token of this platform.');
  }
  const machine = { request, publicKey, tokenDigest: token.digest };
  const { response, events } = await inPlatform(options.store, (trx) => admit(options, trx, machine));
  publishEvents(options.bus, events);
  options.log.info({ instanceId: response.instance_id, accountId: response.account_id }, 'a machine joined');
  return response;
}

interface Machine {
  readonly request: EnrolRequest;
  readonly publicKey: Buffer;
  readonly tokenDigest: string;
}

async function admit(options: EnrolmentOptions, trx: Transaction<Database>, machine: Machine) {
  const token = await lockToken(trx, { digest: machine.tokenDigest, now: options.clock.now() });
  const { authority, clock } = options;
  const now = new Date(clock.now());
  const isExpected = token.instance_id !== null;
  const instance = {
    id: token.instance_id ?? uuidv7(),
    accountId: token.account_id,
    // A token of an earlier release may hint at any text.
    hostname: token.name_hint === null ? machine.request.hostname : asHostname(token.name_hint),
  };
  const certificate = await authority.issueInstanceCertificate({
    accountId: instance.accountId,
    instanceId: instance.id,
    publicKey: machine.publicKey,
  });
  const enrolled = { ...instance, request: machine.request, tags: token.tags, certificate, now };
  const { hostname, tags } = isExpected ? await expected(trx, enrolled) : await added(trx, enrolled);
  await trx
    .updateTable('join_tokens')
    .set((row) => ({
      used_at: now,
      instance_id: instance.id,
      updated_at: now,
      revision: row('revision', '+', 1),
    }))
    .where('id', '=', token.id)
    .execute();
  const joined = makeEvent(clock, {
    accountId: instance.accountId,
    kind: 'system.instance.joined',
    severity: 'info',
    instance: { id: instance.id, hostname },
    payload: {
      instance_id: instance.id,
      hostname,
      join_token_id: token.id,
      agent_version: machine.request.agent_version,
      tags,
    },
  });
  const running = await publishKeys(trx, { ...enrolled, hostname });
  const response: EnrolResponse = {
    instance_id: instance.id,
    account_id: instance.accountId,
    certificate_pem: certificate.pem,
    authority_pem: authority.certificatePem,
    platform_id: authority.platformId,
  };
  return {
    response,
    events: await writeEvents(
      trx,
      running ? [joined, runningEvent(clock, { ...instance, hostname })] : [joined],
    ),
  };
}

/** What a machine is called and tagged. */
type Called = Pick<Selectable<Database['instances']>, 'hostname' | 'tags'>;

/** A machine that nobody has spoken of before. */
async function added(trx: Transaction<Database>, instance: Enrolled): Promise<Called> {
  return trx
    .insertInto('instances')
    .values({
      ...arrived(instance),
      id: instance.id,
      account_id: instance.accountId,
      hostname: instance.hostname,
      provider: 'joined',
      tags: JSON.stringify(instance.tags),
      addresses: JSON.stringify([]),
      subsystems: JSON.stringify([]),
      created_at: instance.now,
    })
    .returning(['hostname', 'tags'])
    .executeTakeFirstOrThrow();
}

/** One that was asked for: its name and tags may have been changed since its token was made. */
async function expected(trx: Transaction<Database>, instance: Enrolled): Promise<Called> {
  return trx
    .updateTable('instances')
    .set((row) => ({ ...arrived(instance), revision: row('revision', '+', 1) }))
    .where('id', '=', instance.id)
    .where('status', '=', 'pending')
    .returning(['hostname', 'tags'])
    .executeTakeFirstOrThrow();
}

/** Stores the keys that the machine offers; from then on it runs, because it can be attached. False: it offers none. */
async function publishKeys(trx: Transaction<Database>, instance: Enrolled): Promise<boolean> {
  const keys = [...new Set(instance.request.unused_keys)];
  if (keys.length === 0) return false;
  const stored = await trx
    .insertInto('node_keys')
    .values(
      keys.map((publicKey) => ({
        account_id: instance.accountId,
        instance_id: instance.id,
        public_key: publicKey,
      })),
    )
    .onConflict((conflict) => conflict.doNothing())
    .returning('public_key')
    .execute();
  if (stored.length === 0) return false;
  await trx
    .updateTable('instances')
    .set((row) => ({ status: 'running', revision: row('revision', '+', 1) }))
    .where('id', '=', instance.id)
    .execute();
  return true;
}

function runningEvent(
  clock: Pick<Clock, 'now'>,
  { id, accountId, hostname }: { readonly id: string; readonly accountId: string; readonly hostname: string },
) {
  return makeEvent(clock, {
    accountId,
    kind: 'system.instance.running',
    severity: 'info',
    instance: { id, hostname },
    payload: { instance_id: id, hostname },
  });
}

/** `provisioning` until the machine has published its keys: nothing can be attached before. */
function arrived(instance: Enrolled) {
  return {
    status: 'provisioning' as const,
    agent_version: instance.request.agent_version,
    certificate_serial: instance.certificate.serial,
    certificate_expires_at: instance.certificate.expiresAt,
    updated_at: instance.now,
  };
}

interface Enrolled {
  readonly id: string;
  readonly accountId: string;
  readonly hostname: string;
  readonly request: EnrolRequest;
  readonly tags: readonly string[];
  readonly certificate: IssuedCertificate;
  readonly now: Date;
}

/** Holds the token's row, so that of two machines with one token the second finds it used. */
async function lockToken(
  trx: Transaction<Database>,
  { digest, now }: { readonly digest: string; readonly now: number },
) {
  const token = await trx
    .selectFrom('join_tokens')
    .selectAll()
    .where('digest', '=', digest)
    .forUpdate()
    .executeTakeFirst();
  if (token === undefined) throw refused('The join token does not exist.');
  if (token.revoked_at !== null) throw refused('This join token was revoked.');
  if (token.used_at !== null) throw refused('This join token was already used; each one joins one instance.');
  const lossOf = await joinTokenLosses(trx, [token], new Date(now));
  const loss = lossOf(token);
  // As one that was revoked by hand: whoever has it learns nothing about its maker.
  if (loss === 'revoked') throw refused('This join token was revoked.');
  if (loss === 'expired' || token.expires_at.getTime() <= now) throw refused('This join token has expired.');
  return token;
}

function refused(reason: string): ProductError {
  return new ProductError(
    'unauthenticated',
    `${reason} Create a new one with "powernode join-token create" (system_create_join_token).`,
  );
}

/** It is shown to people and stored as text: no control characters, no halves of characters. */
function requirePlainText(path: 'agent_version', text: string): void {
  if (text.isWellFormed() && !/\p{Cc}/u.test(text)) return;
  const message = 'must be text without control characters';
  throw new ProductError('validation_failed', `${path} ${message}.`, {
    fields: [{ path, code: 'invalid_text', message }],
  });
}

/** Reads a body, quoting what does not fit. */
export function parseRequest<S extends z.ZodType>(schema: S, body: unknown): z.infer<S> {
  const parsed = schema.safeParse(body, { error: validationMessage });
  if (parsed.success) return parsed.data;
  const fields = fieldProblems(parsed.error, 'is not a member of this request');
  const [first] = fields;
  const which = first === undefined ? '' : `: ${first.path} ${first.message}`;
  throw new ProductError('validation_failed', `The request does not match its schema${which}.`, { fields });
}
