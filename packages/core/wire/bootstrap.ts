// What a bootstrap page and the platform say to each other. Without schemas, because the page is a browser's and has
// none; the platform checks what it is sent (surfaces/bootstrap).

/** The page. The secret is behind `#`, where it is in no request, no log and no referrer. */
export const bootstrapPath = '/bootstrap';
/** `{ token }` → `BootstrapGrant`. Uses nothing up. */
export const bootstrapInspectPath = '/api/v1/bootstrap/inspect';
/** `{ token, public_key, name?, endpoint_family? }` → `BootstrapDevice`, or its configuration alone for whoever asks for text/plain. */
export const bootstrapIssuePath = '/api/v1/bootstrap/issue';

/** Stands in a configuration where the device, which alone has it, puts its private key. */
export const privateKeyPlaceholder = 'REPLACE_WITH_PRIVATE_KEY';

export interface BootstrapGrant {
  readonly device_name_hint: string;
  readonly network_name: string;
  readonly expires_at: string;
}

export interface BootstrapDevice {
  readonly name: string;
  readonly network_name: string;
  readonly host_address: string;
  readonly ipv4_address: string | null;
  /** For wg-quick(8), with `privateKeyPlaceholder`. */
  readonly config: string;
  readonly file_name: string;
  /** Why the device may not reach its hub, and what to do; null: no problem is known. */
  readonly endpoint_warning: string | null;
}

/** wg-quick names the interface after the file: 15 characters of a few kinds. */
const interfaceNameMax = 15;

/** The file for the configuration of a device in a network of this name. */
export function configFileName(networkName: string): string {
  const stem = networkName
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, interfaceNameMax)
    .replaceAll(/^-+|-+$/g, '');
  return `${stem === '' ? 'powernode' : stem}.conf`;
}
