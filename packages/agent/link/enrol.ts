// Joining a platform: find its node listener, make sure that it is the one the token names, hand in the token and
// get a certificate. Nothing is written before all of it has succeeded.
import { ProductError } from '@powernode/core/errors';
import { joinBusyMs } from '@powernode/core/limits/trust';
import {
  discovery,
  discoveryPath,
  type EnrolRequest,
  enrolPath,
  enrolResponse,
  joinTokenShape,
} from '@powernode/core/wire/enrolment';
import type { Clock } from '../ports/clock.ts';
import { pause, timestamp } from '../ports/clock.ts';
import type { Identity } from '../state/identity.ts';
import { agentVersion } from '../version.ts';
import { pinPlatform, platformTls } from './authority.ts';
import { makeKeyRequest } from './certificates.ts';
import { checkIssued } from './issued.ts';
import { busyAnswer, type JsonAnswer, problemFrom, requestJson } from './request.ts';

export interface Joining {
  readonly platformUrl: string;
  readonly token: string;
  readonly hostname: string;
  /** Public keys that are offered, so that the machine can be attached before its agent runs. */
  readonly unusedKeys: readonly string[];
  readonly clock: Clock;
}

export async function enrol(joining: Joining): Promise<Identity> {
  const fingerprint = joinTokenShape.exec(joining.token)?.[2];
  if (fingerprint === undefined) {
    throw new ProductError(
      'usage',
      'The join token must look like pnj_<secret>_<fingerprint>; check that it was copied completely.',
    );
  }
  const platformUrl = parsePlatformUrl(joining.platformUrl);
  const nodeUrl = await findNodeUrl(platformUrl);
  const request = await makeKeyRequest(joining.clock.nowMs());
  const own = { certificatePem: request.selfSignedPem, key: request.key };
  const platform = await pinPlatform(nodeUrl, { own, fingerprint });
  const body: EnrolRequest = {
    token: joining.token,
    csr_pem: request.csrPem,
    hostname: joining.hostname,
    agent_version: agentVersion,
    unused_keys: [...joining.unusedKeys],
  };
  const url = new URL(enrolPath, nodeUrl);
  const answer = await inTurn(joining.clock, () =>
    requestJson({ url, method: 'POST', body, tls: platformTls(own, platform) }),
  );
  const enrolled =
    answer.status === 200 || answer.status === 201 ? enrolResponse.safeParse(answer.json) : null;
  if (enrolled === null || !enrolled.success) throw problemFrom(answer, url);
  const { data } = enrolled;
  checkIssued({ certificatePem: data.certificate_pem, authorityPem: data.authority_pem, key: request.key });
  if (data.platform_id !== platform.platformId) {
    throw new ProductError(
      'untrusted_peer',
      `${nodeUrl.origin} calls itself ${data.platform_id}, but its certificate says ${platform.platformId}.`,
    );
  }
  return {
    instance_id: data.instance_id,
    account_id: data.account_id,
    hostname: joining.hostname,
    platform_url: platformUrl.href,
    node_url: nodeUrl.href,
    platform_id: platform.platformId,
    authority_pem: data.authority_pem,
    certificate_pem: data.certificate_pem,
    key_pem: request.key,
    joined_at: timestamp(joining.clock.nowMs()),
    revoked_at: null,
  };
}

/** Asks again while the platform lets others in first. */
async function inTurn(clock: Clock, ask: () => Promise<JsonAnswer>): Promise<JsonAnswer> {
  const until = clock.monotonicMs() + joinBusyMs;
  for (;;) {
    const answer = await ask();
    const found = busyAnswer.safeParse(answer.json);
    if (!found.success) return answer;
    // Machines that were refused together do not come back together.
    const waitMs = found.data.retry_after_seconds * 1000 * (0.5 + Math.random());
    if (clock.monotonicMs() + waitMs > until) return answer;
    await pause(clock, waitMs);
  }
}

function parsePlatformUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new ProductError(
    'usage',
    `--platform must be a URL such as https://platform.example:7443, not "${text}".`,
  );
}

/**
 * Asks the address where nodes have to go. What it answers is not trusted: the token's fingerprint decides. An
 * https address that does not know the question is the node listener itself.
 */
async function findNodeUrl(platformUrl: URL): Promise<URL> {
  const url = new URL(discoveryPath, platformUrl);
  const answer = await requestJson({ url, method: 'GET', tls: { rejectUnauthorized: false } }).catch(
    (error) => {
      if (platformUrl.protocol === 'https:') return null;
      throw error;
    },
  );
  const found = answer?.status === 200 ? discovery.safeParse(answer.json) : null;
  if (found?.success && URL.canParse(found.data.node_url)) {
    const nodeUrl = new URL(found.data.node_url);
    if (nodeUrl.protocol === 'https:') return nodeUrl;
  }
  if (platformUrl.protocol === 'https:') return platformUrl;
  throw new ProductError(
    'platform_unreachable',
    `${url.href} is not a Powernode platform. Check the --platform URL.`,
  );
}
