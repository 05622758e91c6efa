// The bootstrap page: from the secret behind # to a configuration whose private key only this page has.
import { type BootstrapGrant, bootstrapPath, privateKeyPlaceholder } from '@powernode/core/wire/bootstrap';
import './bootstrap.css';
import { show } from './dom.ts';
import { makeKeyPair, type Obstacle } from './keys.ts';
import { inspect, isRefusal, issue, type Refusal } from './questions.ts';
import { scriptText } from './script-text.ts';
import { configView, grantView, problemTitles, problemView, waitingView } from './views.ts';

async function begin(): Promise<void> {
  const token = location.hash.slice(1);
  if (token === '') {
    show(
      problemView(
        'This link is not complete',
        'Open it as it was sent to you, with all that is behind the #.',
      ),
    );
    return;
  }
  show(waitingView());
  const grant = await inspect(token);
  if (isRefusal(grant)) refuse(grant);
  else offer(token, grant, await obstacleHere());
}

/** A key is made and forgotten, to find out whether this browser can. */
async function obstacleHere(): Promise<Obstacle | null> {
  const tried = await makeKeyPair();
  return typeof tried === 'string' ? tried : null;
}

function offer(token: string, grant: BootstrapGrant, obstacle: Obstacle | null): void {
  const script = scriptText({ origin: location.origin, token, networkName: grant.network_name });
  const make = (name: string) => void finish({ token, grant, name });
  show(grantView({ grant, obstacle, script, make }));
}

let isBusy = false;

async function finish(of: {
  readonly token: string;
  readonly grant: BootstrapGrant;
  readonly name: string;
}): Promise<void> {
  if (isBusy) return;
  isBusy = true;
  const keys = await makeKeyPair();
  if (typeof keys === 'string') {
    offer(of.token, of.grant, keys);
    isBusy = false;
    return;
  }
  const { privateKey, publicKey } = keys;
  const name = of.name === of.grant.device_name_hint || of.name === '' ? null : of.name;
  const device = await issue({ token: of.token, publicKey, name });
  isBusy = false;
  if (isRefusal(device)) {
    refuse(device);
    return;
  }
  // The secret is used up; what stays in the history is the page without it.
  history.replaceState(null, '', bootstrapPath);
  const askFirst = (event: Event) => event.preventDefault();
  window.addEventListener('beforeunload', askFirst);
  show(
    configView({
      device,
      config: device.config.replace(privateKeyPlaceholder, privateKey),
      taken: () => window.removeEventListener('beforeunload', askFirst),
    }),
  );
}

function refuse(refusal: Refusal): void {
  show(problemView(problemTitles[refusal.status ?? ''] ?? 'This link does not work', refusal.refused));
}

// Another link opened in the same tab changes only what is behind the #.
window.addEventListener('hashchange', () => void begin());
void begin();
