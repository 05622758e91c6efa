// Joining a platform: find its node listener, make sure that it is the one the token names, hand in the token and
// get a certificate. Nothing is written before all of it has succeeded.
import { ProductError } from '@powernode/core/errors';
import {
  discovery,
  discoveryPath,
  type EnrolRequest,
  enrolPath,
  enrolResponse,
  joinTokenShape,
} from '@powernode/core/wire/enrolment';
import type { Clock } from '../ports/clock.ts';
import { timestamp } from '../ports/clock.ts';
import type { Identity } from '../state/identity.ts';
import { agentVersion } from '../version.ts';
import { pinPlatform, platformTls } from './authority.ts';
import { makeKeyRequest } from './certificates.ts';
import { checkIssued } from './issued.ts';
import { problemFrom, requestJson } from './request.ts';

export interface Joining {
  readonly platformUrl: string;
  readonly token: string;
  readonly hostname: string;
  readonly clock: Clock;
}

export async function enrol(joining: Joining): Promise<Identity> {
  const fingerprint = joinTokenShape.exec(joining.token)?.[2];
  if (fingerprint === undefined) {
    throw new ProductError(
      'usage',
      'The join token must look like pnj_<secret>_<fingerprint>; see that it was copied as a whole.',
    );
  }
  const platformUrl = parsePlatformUrl(joining.platformUrl);
  const nodeUrl = await findNodeUrl(platformUrl);
  const key = await makeKeyRequest(joining.clock.nowMs());
  const own = { certificatePem: key.selfSignedPem, keyPem: key.keyPem };
  const platform = await pinPlatform(nodeUrl, { own, fingerprint });
  const body: EnrolRequest = {
    token: joining.token,
    csr_pem: key.csrPem,
    hostname: joining.hostname,
    agent_version: agentVersion,
  };
  const url = new URL(enrolPath, nodeUrl);
  const answer = await requestJson({ url, method: 'POST', body, tls: platformTls(own, platform) });
  const enrolled =
    answer.status === 200 || answer.status === 201 ? enrolResponse.safeParse(answer.json) : null;
  if (enrolled === null || !enrolled.success) throw problemFrom(answer, url);
  const { data } = enrolled;
  checkIssued({ certificatePem: data.certificate_pem, authorityPem: data.authority_pem, keyPem: key.keyPem });
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
    key_pem: key.keyPem,
    joined_at: timestamp(joining.clock.nowMs()),
    revoked_at: null,
  };
}

function parsePlatformUrl(text: string): URL {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url !== null && (url.protocol === 'http:' || url.protocol === 'https:')) return url;
  throw new ProductError(
    'usage',
    `--platform must be an address such as https://platform.example:7443, not "${text}".`,
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
    `${url.href} does not say where nodes have to go. See that --platform is the address of a Powernode platform.`,
  );
}
