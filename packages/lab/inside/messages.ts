// What the lab's small programs inside hosts are told (one JSON argument) and what they print (one JSON line each).
import { z } from 'zod';

const place = z.strictObject({ address: z.string(), port: z.int().min(1).max(65535) });
export type Place = z.infer<typeof place>;

/** serve-main.ts: a service that says which host answers, and by which address it sees the one who asks. */
export const serveOptions = z.strictObject({
  name: z.string(),
  tcp: z.array(place),
  udp: z.array(place),
});
export type ServeOptions = z.infer<typeof serveOptions>;

/** The first line of a TCP connection to it, and every UDP answer. */
export const greeting = z.strictObject({
  name: z.string(),
  /** Address and port of the one who asked, as the service sees them. */
  seen_as: z.string(),
  /** The service's time when it answered: milliseconds of this machine's monotonic clock, the same in all hosts. */
  at_ms: z.number(),
  /** So much earlier the kernel may have taken the question in, because the service was not run meanwhile. */
  late_ms: z.number(),
  /** What was asked (UDP only). */
  echo: z.string().optional(),
});
export type Greeting = z.infer<typeof greeting>;

/** stream-main.ts: numbered lines over TCP to a service that sends them back. */
export const streamOptions = z.strictObject({
  ...place.shape,
  interval_ms: z.number().positive(),
  /** After so long without an echo it connects anew; null: never, one connection has to do. */
  give_up_ms: z.number().positive().nullable(),
});
export type StreamOptions = z.infer<typeof streamOptions>;

export const streamReport = z.strictObject({
  sent: z.int(),
  /** Lines that came back, each once and in order within its connection. */
  echoed: z.int(),
  /** The longest time without an echo, from the first one to the end of the measurement. */
  longest_gap_ms: z.number(),
  /** Why the connection ended by itself; null: it stands, or was replaced as agreed. */
  ended: z.string().nullable(),
  /** Who answered, one for each connection. */
  greetings: z.array(greeting),
});
export type StreamReport = z.infer<typeof streamReport>;

/** ask-main.ts: one UDP question after the other, each answer told at once. */
export const askOptions = z.strictObject({ ...place.shape, interval_ms: z.number().positive() });
export type AskOptions = z.infer<typeof askOptions>;

export const answer = z.strictObject({
  ...greeting.shape,
  /** When the question was sent and its answer received, by the same clock as at_ms. */
  sent_ms: z.number(),
  received_ms: z.number(),
});
export type Answer = z.infer<typeof answer>;

export const askReport = z.strictObject({ sent: z.int(), answered: z.int(), longest_gap_ms: z.number() });
export type AskReport = z.infer<typeof askReport>;

/** A line of any of them. */
export const programLine = z.union([
  z.strictObject({ ready: z.literal(true) }),
  z.strictObject({ answer }),
  /** A stream tells from time to time how many of its lines have come back. */
  z.strictObject({ echoed: z.int() }),
  z.strictObject({ report: z.union([streamReport, askReport, z.null()]) }),
]);
export type ProgramLine = z.infer<typeof programLine>;
