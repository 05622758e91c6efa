// The platform's configuration: flags, then POWERNODE_* variables, then <data-dir>/config.yaml, then defaults.
// Every value remembers where it came from, and `powernode config` prints that.
import { readFileSync } from 'node:fs';
import { homedir, networkInterfaces } from 'node:os';
import path from 'node:path';
import { ProductError } from '@powernode/core/errors';
import {
  changesKeptDays,
  eventsKeptDays,
  retentionDaysMax,
  retentionDaysMin,
} from '@powernode/core/limits/coordination';
import { formatEndpoint, parseAddress } from '@powernode/core/net/address';
import { parse as parseYaml } from 'yaml';
import type { RetentionSettings } from '../coordination/retention/rules.ts';

export type Source = 'flag' | 'environment' | 'file' | 'default';

interface SettingSpec {
  readonly flag: string | null;
  readonly variable: string;
  readonly secret?: boolean;
  readonly help: string;
}

/** Every setting by its name in config.yaml. */
export const settingSpecs = {
  data_dir: {
    flag: 'data-dir',
    variable: 'POWERNODE_DATA_DIR',
    help: 'Directory where the platform stores its data',
  },
  host: {
    flag: 'host',
    variable: 'POWERNODE_HOST',
    help: 'Listen address for operators; HTTPS on any address but loopback',
  },
  port: { flag: 'port', variable: 'POWERNODE_PORT', help: 'Listen port for operators' },
  metrics_port: {
    flag: 'metrics-port',
    variable: 'POWERNODE_METRICS_PORT',
    help: 'Port on 127.0.0.1 for Prometheus, without a token; off when not set',
  },
  node_host: { flag: 'node-host', variable: 'POWERNODE_NODE_HOST', help: 'Listen address for instances' },
  node_port: {
    flag: 'node-port',
    variable: 'POWERNODE_NODE_PORT',
    help: 'Listen port for instances, mutual TLS only',
  },
  node_url: {
    flag: 'node-url',
    variable: 'POWERNODE_NODE_URL',
    help: 'URL at which instances reach the platform',
  },
  console_url: {
    flag: 'console-url',
    variable: 'POWERNODE_CONSOLE_URL',
    help: 'URL at which people reach the console, for example behind a proxy',
  },
  allowed_hosts: {
    flag: 'allowed-hosts',
    variable: 'POWERNODE_ALLOWED_HOSTS',
    help: 'Host names, separated by commas, that the operators listener accepts',
  },
  tls_certificate: {
    flag: 'tls-certificate',
    variable: 'POWERNODE_TLS_CERTIFICATE',
    help: 'PEM file of a certificate for the operators listener',
  },
  tls_key: { flag: 'tls-key', variable: 'POWERNODE_TLS_KEY', help: 'PEM file of its private key' },
  database_url: {
    flag: null,
    variable: 'DATABASE_URL',
    secret: true,
    help: 'PostgreSQL server to use instead of the embedded one',
  },
  redis_url: {
    flag: null,
    variable: 'REDIS_URL',
    secret: true,
    help: 'Redis server to use instead of the in-process event bus',
  },
  seal_key: {
    flag: null,
    variable: 'POWERNODE_SEAL_KEY',
    secret: true,
    help: 'Sealing key, 32 bytes in base64, instead of the key file',
  },
  'retention.events_days': {
    flag: 'retention-events-days',
    variable: 'POWERNODE_RETENTION_EVENTS_DAYS',
    help: 'Days that events stay, and the approvals that they tell of (docs/reference/retention.md)',
  },
  'retention.changes_days': {
    flag: 'retention-changes-days',
    variable: 'POWERNODE_RETENTION_CHANGES_DAYS',
    help: 'Days that the numbered changes of an account stay',
  },
  log_level: { flag: 'log-level', variable: 'POWERNODE_LOG_LEVEL', help: 'trace, debug, info, warn, error' },
} as const satisfies Record<string, SettingSpec>;

export type SettingName = keyof typeof settingSpecs;
const names = Object.keys(settingSpecs) as SettingName[];

export interface Setting {
  readonly value: string;
  readonly source: Source;
}

export interface Settings {
  readonly dataDir: string;
  readonly host: string;
  readonly port: number;
  /** null: metrics are on the operators' listener alone. */
  readonly metricsPort: number | null;
  readonly nodeHost: string;
  readonly nodePort: number;
  readonly nodeUrl: string;
  /** null: where it listens. */
  readonly consoleUrl: string | null;
  /** An address by which this machine could be reached. */
  readonly reachableHost: string;
  readonly allowedHosts: readonly string[];
  readonly tls: { readonly certificate: string; readonly key: string } | null;
  readonly databaseUrl: string | null;
  readonly redisUrl: string | null;
  readonly sealKey: string | null;
  readonly retention: RetentionSettings;
  readonly logLevel: string;
  /** Each effective value with its source, secrets hidden. */
  readonly table: readonly { readonly name: SettingName; readonly value: string; readonly source: Source }[];
}

export interface SettingsInput {
  readonly flags: Readonly<Record<string, string | undefined>>;
  readonly environment: Readonly<Record<string, string | undefined>>;
}

export function readSettings(input: SettingsInput): Settings {
  const outside = new Map<SettingName, Setting>();
  for (const name of names) {
    const spec: SettingSpec = settingSpecs[name];
    const flag = spec.flag === null ? undefined : input.flags[spec.flag];
    const variable = input.environment[spec.variable];
    if (flag !== undefined) outside.set(name, { value: flag, source: 'flag' });
    else if (variable !== undefined && variable !== '')
      outside.set(name, { value: variable, source: 'environment' });
  }
  const dataDir = path.resolve(outside.get('data_dir')?.value ?? defaultDataDir());
  const file = readFile(path.join(dataDir, 'config.yaml'));
  const found = new Map([...file, ...outside]);
  found.set('data_dir', { value: dataDir, source: outside.get('data_dir')?.source ?? 'default' });
  return settle(found);
}

function settle(found: Map<SettingName, Setting>): Settings {
  const text = (name: SettingName, fallback: string): string => {
    const setting = found.get(name) ?? { value: fallback, source: 'default' as const };
    found.set(name, setting);
    return setting.value;
  };
  const optional = (name: SettingName): string | null => found.get(name)?.value ?? null;
  const host = text('host', '127.0.0.1');
  const nodePort = portOf('node_port', text('node_port', '7443'));
  const consoleUrl = optional('console_url');
  const metricsPort = optional('metrics_port');
  const settings = {
    dataDir: text('data_dir', ''),
    host,
    port: portOf('port', text('port', '7070')),
    metricsPort: metricsPort === null ? null : portOf('metrics_port', metricsPort),
    nodeHost: text('node_host', '::'),
    nodePort,
    nodeUrl: nodeUrlOf(text('node_url', `https://${authority(reachableAddress(host), nodePort)}`)),
    consoleUrl: consoleUrl === null ? null : consoleUrlOf(consoleUrl),
    reachableHost: reachableHost(host),
    allowedHosts: (optional('allowed_hosts') ?? '').split(',').filter((name) => name !== ''),
    tls: tlsOf(optional('tls_certificate'), optional('tls_key')),
    databaseUrl: optional('database_url'),
    redisUrl: optional('redis_url'),
    sealKey: optional('seal_key'),
    retention: {
      eventsDays: daysOf('retention.events_days', text('retention.events_days', String(eventsKeptDays))),
      changesDays: daysOf('retention.changes_days', text('retention.changes_days', String(changesKeptDays))),
    },
    logLevel: text('log_level', 'info'),
  };
  if (!['trace', 'debug', 'info', 'warn', 'error'].includes(settings.logLevel)) {
    throw invalid('log_level', `"${settings.logLevel}" is not trace, debug, info, warn or error`);
  }
  const table = names.flatMap((name) => {
    const setting = found.get(name);
    const spec: SettingSpec = settingSpecs[name];
    if (setting === undefined) return [];
    return [{ name, value: spec.secret === true ? '(hidden)' : setting.value, source: setting.source }];
  });
  return { ...settings, table };
}

function readFile(file: string): Map<SettingName, Setting> {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT') return new Map();
    throw new ProductError('invalid_configuration', `${file} cannot be read: ${(error as Error).message}`);
  }
  let value: unknown;
  try {
    value = parseYaml(text) ?? {};
  } catch (error) {
    throw new ProductError('invalid_configuration', `${file} is not YAML: ${(error as Error).message}`);
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new ProductError(
      'invalid_configuration',
      `${file} must be a table of settings, such as "port: 7070".`,
    );
  }
  return new Map(
    Object.entries(value).flatMap(([name, given]) =>
      settingParts(name, given).map((one) => [settingName(file, one.name), fromFile(file, one)] as const),
    ),
  );
}

/** A setting with a dot in its name is written as a part: `retention: { events_days: 400 }`. */
function settingParts(name: string, given: unknown): { readonly name: string; readonly given: unknown }[] {
  const hasParts = names.some((known) => known.startsWith(`${name}.`));
  if (!hasParts || typeof given !== 'object' || given === null || Array.isArray(given))
    return [{ name, given }];
  return Object.entries(given).map(([part, value]) => ({ name: `${name}.${part}`, given: value as unknown }));
}

function settingName(file: string, name: string): SettingName {
  if (name !== 'data_dir' && Object.hasOwn(settingSpecs, name)) return name as SettingName;
  const known = names.filter((one) => one !== 'data_dir').join(', ');
  throw new ProductError(
    'invalid_configuration',
    `${file}: unknown setting "${name}". Known settings: ${known}.`,
  );
}

function fromFile(
  file: string,
  { name, given }: { readonly name: string; readonly given: unknown },
): Setting {
  if (typeof given === 'string' || typeof given === 'number') return { value: String(given), source: 'file' };
  if (Array.isArray(given) && given.every((item) => typeof item === 'string')) {
    return { value: given.join(','), source: 'file' };
  }
  throw new ProductError('invalid_configuration', `${file}: "${name}" must be text or a number.`);
}

function invalid(name: SettingName, what: string): ProductError {
  return new ProductError('invalid_configuration', `The setting ${name} is invalid: ${what}.`);
}

function portOf(name: SettingName, text: string): number {
  const port = Number(text);
  if (/^\d{1,5}$/.test(text) && port <= 65535) return port;
  throw invalid(name, `"${text}" is not a port (0 to 65535; 0 takes any free one)`);
}

function daysOf(name: SettingName, text: string): number {
  const days = Number(text);
  if (/^\d{1,5}$/.test(text) && days >= retentionDaysMin && days <= retentionDaysMax) return days;
  throw invalid(name, `"${text}" is not a number of days from ${retentionDaysMin} to ${retentionDaysMax}`);
}

function nodeUrlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if (url?.protocol === 'https:' && url.pathname === '/') return url.origin;
  throw invalid('node_url', `"${text}" is not of the form https://host:port`);
}

/** The bootstrap page makes keys, which browsers only do over HTTPS or on loopback. */
function consoleUrlOf(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null;
  if ((url?.protocol === 'https:' || url?.protocol === 'http:') && url.pathname === '/') return url.origin;
  throw invalid('console_url', `"${text}" is not of the form https://host or https://host:port`);
}

function tlsOf(certificate: string | null, key: string | null): Settings['tls'] {
  if (certificate === null && key === null) return null;
  if (certificate !== null && key !== null) return { certificate, key };
  throw invalid('tls_certificate', 'tls_certificate and tls_key come together');
}

function defaultDataDir(): string {
  if (process.getuid?.() === 0) return '/var/lib/powernode/platform';
  return path.join(process.env['XDG_DATA_HOME'] ?? path.join(homedir(), '.local', 'share'), 'powernode');
}

/** Where nodes could reach this machine: the address given for operators, else the first that is not loopback. */
function reachableAddress(host: string): string {
  if (!['127.0.0.1', '::1', 'localhost', '0.0.0.0', '::'].includes(host)) return host;
  const all = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = all.filter((one) => !one.internal && !one.address.startsWith('fe80'));
  return (outside.find((one) => one.family === 'IPv4') ?? outside[0])?.address ?? '127.0.0.1';
}

/** The same as part of a URL. */
function reachableHost(host: string): string {
  const address = reachableAddress(host);
  return address.includes(':') ? `[${address}]` : address;
}

function authority(host: string, port: number): string {
  const address = parseAddress(host);
  return address === null ? `${host}:${port}` : formatEndpoint({ address, port: port === 0 ? 1 : port });
}
