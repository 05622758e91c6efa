// The bootstrap page: from the secret behind # to a configuration whose private key only this page has.
import { type BootstrapGrant, bootstrapPath, privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';
import './bootstrap.css';
import { show } from './dom.ts';
import { type KeyPair, makeKeyPair, type Obstacle } from './keys.ts';
import { type Cause, inspect, isRefusal, issue, type Refusal } from './questions.ts';
import { scriptText } from './script-text.ts';
import { configView, grantView, problemTitles, problemView, waitingView } from './views.ts';

async function begin(): Promise<void> {
  const token = location.hash.slice(1);
  if (token === '') {
    show(
      problemView({
        title: 'This link is incomplete',
        detail: 'Open the whole link you were sent, including everything after the #.',
      }),
    );
    return;
  }
  show(waitingView());
  const grant = await inspect(token);
  if (isRefusal(grant)) refuse(grant, () => void begin());
  else offer({ token, grant, name: grant.device_name_hint }, await obstacleHere());
}

/** A key is made and forgotten, to find out whether this browser can. */
async function obstacleHere(): Promise<Obstacle | null> {
  const tried = await makeKeyPair();
  return typeof tried === 'string' ? tried : null;
}

interface Wanted {
  readonly token: string;
  readonly grant: BootstrapGrant;
  readonly name: string;
}

function offer(wanted: Wanted, obstacle: Obstacle | null): void {
  const { token, grant } = wanted;
  const script = scriptText({ origin: location.origin, token, networkName: grant.network_name });
  const make = (name: string) => void finish({ ...wanted, name });
  show(grantView({ grant, name: wanted.name, obstacle, script, make }));
}

interface Kept {
  readonly token: string;
  readonly keys: KeyPair;
  readonly idempotencyKey: string;
}

/** The answer to the first try may have been lost, and then the grant is used up by its key: another try is the same. */
let kept: Kept | null = null;

async function keptFor(token: string): Promise<Kept | Obstacle> {
  if (kept?.token === token) return kept;
  const keys = await makeKeyPair();
  if (typeof keys === 'string') return keys;
  kept = { token, keys, idempotencyKey: crypto.randomUUID() };
  return kept;
}

let isBusy = false;

async function finish(wanted: Wanted): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  try {
    await use(wanted);
  } finally {
    isBusy = false;
  }
}

async function use(wanted: Wanted): Promise<void> {
  const { token, grant } = wanted;
  const own = await keptFor(token);
  if (typeof own === 'string') {
    offer(wanted, own);
    return;
  }
  const { keys, idempotencyKey } = own;
  const name = wanted.name === grant.device_name_hint || wanted.name === '' ? null : wanted.name;
  const device = await issue({ token, publicKey: keys.publicKey, name, idempotencyKey });
  if (isRefusal(device)) {
    // What is wrong with the name is repaired in the form.
    refuse(device, () => (device.cause === 'refused' ? offer(wanted, null) : void finish(wanted)));
    return;
  }
  // The secret is used up; what stays in the history is the page without it.
  history.replaceState(null, '', bootstrapPath);
  const askFirst = (event: Event) => event.preventDefault();
  window.addEventListener('beforeunload', askFirst);
  show(
    configView({
      device,
      config: device.config.replace(privateKeyPlaceholder, keys.privateKey),
      taken: () => window.removeEventListener('beforeunload', askFirst),
    }),
  );
}

/** After these the link is of no use any more. */
const final: ReadonlySet<Cause> = new Set(['used', 'expired', 'revoked', 'unknown']);

function refuse({ refused, cause }: Refusal, again: () => void): void {
  show(
    problemView({
      title: problemTitles[cause],
      detail: refused,
      ...(final.has(cause) ? {} : { again }),
    }),
  );
}

// Another link opened in the same tab changes only what is behind the #.
window.addEventListener('hashchange', () => void begin());
void begin();
