// Structured logs: JSON lines on stderr, with whatever could be a secret taken out by name.
import { type Logger, pino } from 'pino';

/** Field names that may hold a secret, wherever they stand. */
const secretFields = [
  'token',
  'authorization',
  'password',
  'private_key',
  'acceptance_token',
  'bootstrap_url',
  'csr_pem',
  'seal_key',
  'database_url',
];

export function createLog(level: string): Logger {
  return pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      redact: {
        paths: secretFields.flatMap((field) => [field, `*.${field}`, `*.*.${field}`]),
        censor: '[redacted]',
      },
    },
    pino.destination({ dest: 2, sync: true }),
  );
}
