// What the page shows: what the link is for, why it is no use, and the configuration once there is one.
import type { BootstrapDevice, BootstrapGrant } from '@powernode/core/wire/bootstrap';
import { encode } from 'uqr';
import { qrPath, quietModules } from '../parts/qr-path.ts';
import { element } from './dom.ts';
import type { Obstacle } from './keys.ts';
import type { Cause } from './questions.ts';

type View = readonly Node[];

const heading = (text: string) => element('h1', { tabindex: '-1' }, text);

export function waitingView(): View {
  return [
    heading('Connect this device'),
    element('p', { role: 'status', class: 'quiet' }, 'Checking the link…'),
  ];
}

export interface ProblemOf {
  readonly title: string;
  readonly detail: string;
  /** What the button does; absent: trying again would change nothing. */
  readonly again?: () => void;
}

/** Nothing is said of a link that the platform does not know. */
export function problemView({ title, detail, again }: ProblemOf): View {
  return [
    heading(title),
    element('p', { role: 'alert', class: 'bad' }, detail),
    again === undefined
      ? null
      : element(
          'button',
          { class: 'button', 'data-variant': 'primary', type: 'button', click: again },
          'Try again',
        ),
  ].filter((part) => part !== null);
}

export const problemTitles: Readonly<Record<Cause, string>> = {
  used: 'This link was already used',
  expired: 'This link has expired',
  revoked: 'This link was revoked',
  unknown: 'This link does not work',
  blocked: 'An operator has to add this device',
  refused: 'The request was not accepted',
  limited: 'Too many attempts',
  failed: 'The platform returned an error',
  unreachable: 'The platform does not respond',
};

const obstacles: Readonly<Record<Obstacle, string>> = {
  insecure:
    'This page was opened over plain HTTP. Browsers generate keys only over https:// or on localhost. Open it with https://, or use the commands below.',
  outdated:
    'This browser cannot generate X25519 keys. Update it, use another one, or use the commands below.',
};

export function grantView(of: {
  readonly grant: BootstrapGrant;
  /** What the field begins with. */
  readonly name: string;
  readonly obstacle: Obstacle | null;
  readonly script: string;
  readonly make: (name: string) => void;
}): View {
  const { grant, obstacle } = of;
  const name = element('input', {
    id: 'name',
    class: 'input',
    value: of.name,
    maxlength: '100',
    autocomplete: 'off',
    required: true,
  });
  const form = element(
    'form',
    {
      class: 'form',
      submit: (event) => {
        event.preventDefault();
        of.make(name.value.trim());
      },
    },
    element('div', { class: 'field' }, element('label', { for: 'name' }, 'Device name'), name),
    element(
      'button',
      { class: 'button', 'data-variant': 'primary', type: 'submit', disabled: obstacle !== null },
      'Create configuration',
    ),
  );
  return [
    heading(`Join ${grant.network_name}`),
    element(
      'p',
      {},
      'This link adds one device to the network, once, until ',
      element('time', { datetime: grant.expires_at }, when(grant.expires_at)),
      '.',
    ),
    obstacle === null
      ? element(
          'p',
          { class: 'quiet' },
          'The private key is generated in your browser and never leaves it, so it cannot be shown again.',
        )
      : element('p', { role: 'alert', class: 'bad' }, obstacles[obstacle]),
    form,
    element(
      'details',
      {},
      element('summary', {}, 'On a command line'),
      block(of.script, 'commands'),
      copyButton(of.script, 'Copy the commands'),
    ),
  ];
}

export function configView(of: {
  readonly device: BootstrapDevice;
  /** With the private key in it. */
  readonly config: string;
  readonly taken: () => void;
}): View {
  const { device, config } = of;
  const download = element(
    'a',
    {
      class: 'button',
      'data-variant': 'primary',
      href: URL.createObjectURL(new Blob([config], { type: 'text/plain' })),
      download: device.file_name,
      click: of.taken,
    },
    'Download',
  );
  const addresses = [device.host_address, device.ipv4_address]
    .filter((address) => address !== null)
    .join(', ');
  return [
    heading(`${device.name} is added`),
    element(
      'p',
      { role: 'alert', class: 'wait' },
      'This is shown only once. Anyone who has it can connect as this device, so keep it secret.',
    ),
    ...(device.endpoint_warning === null
      ? []
      : [element('p', { role: 'alert', class: 'wait' }, device.endpoint_warning)]),
    element(
      'ol',
      { class: 'steps' },
      element('li', {}, 'Install WireGuard, from wireguard.com or the app store of the device.'),
      element('li', {}, 'On this device: download the file and import it there (on Linux: wg-quick up).'),
      element('li', {}, 'On another device: scan the code with its WireGuard app.'),
    ),
    element('div', { class: 'actions' }, download, copyButton(config, 'Copy', of.taken)),
    qrCode(config, `QR code of the configuration of ${device.name}`),
    element('p', { class: 'quiet' }, `Its addresses in ${device.network_name}: ${addresses}`),
    element('details', {}, element('summary', {}, 'Show as text'), block(config, 'configuration')),
  ];
}

function copyButton(text: string, label: string, taken?: () => void): Node {
  const button = element(
    'button',
    {
      class: 'button',
      type: 'button',
      click: () => {
        taken?.();
        void navigator.clipboard.writeText(text).then(
          () => (button.textContent = 'Copied'),
          () => (button.textContent = 'Select and copy the text'),
        );
      },
    },
    label,
  );
  return button;
}

function block(text: string, label: string): Node {
  return element('pre', { tabindex: '0', 'aria-label': label }, element('code', {}, text));
}

function when(time: string): string {
  return new Date(time).toLocaleString(undefined, { dateStyle: 'medium', timeStyle: 'short' });
}

const svg = 'http://www.w3.org/2000/svg';

/** A QR code as one SVG path: dark on white in every colour scheme, because cameras need it. */
function qrCode(text: string, label: string): SVGElement {
  const { data, size } = encode(text, { ecc: 'L', border: quietModules });
  const path = document.createElementNS(svg, 'path');
  path.setAttribute('d', qrPath(data));
  const picture = document.createElementNS(svg, 'svg');
  picture.setAttribute('viewBox', `0 0 ${size} ${size}`);
  picture.setAttribute('shape-rendering', 'crispEdges');
  picture.setAttribute('role', 'img');
  picture.setAttribute('aria-label', label);
  picture.setAttribute('class', 'qr');
  picture.append(path);
  return picture;
}
