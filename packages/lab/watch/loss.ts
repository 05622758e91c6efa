// What a flow between two hosts loses while something happens: pings every 10 ms, and a TCP stream beside them.
import { setTimeout as pause } from 'node:timers/promises';
import type { StreamReport } from '../inside/messages.ts';
import type { Lab } from '../lab.ts';
import { waitFor } from '../stage/process.ts';
import type { PingReport } from './ping.ts';

export interface MeasuredFlow {
  readonly from: string;
  readonly to: string;
  /** What is pinged. */
  readonly address: string;
  /** A service there (`Lab.serve`) for the stream; absent: only pings. */
  readonly port?: number;
  /** The stream connects anew after so long without an echo, because its other end may be another host then. */
  readonly giveUpMs?: number;
}

export interface Loss {
  readonly ping: PingReport;
  readonly stream: StreamReport | null;
  /** Pings were answered again (and lines came back) when the measurement ended. */
  readonly recovered: boolean;
}

/** The flow has been well so long before anything happens. */
const calmMs = 500;
/** What happens has shown its effect after so long, with detection by any timers that are compared. */
const effectMs = 3000;
/** Answers so recent count as well. */
const freshMs = 100;
const pollMs = 50;
/** Beyond that a flow is taken for dead. */
export const lossWindowMs = 12_000;

/** Measures while `happen` does its work and until the flow is well again, or for `lossWindowMs`. */
export async function lossDuring(lab: Lab, flow: MeasuredFlow, happen: () => Promise<void>): Promise<Loss> {
  const [loss] = await lossesDuring(lab, [flow], happen);
  if (loss === undefined) throw new Error('one flow has one loss');
  return loss;
}

/** The same for several flows at once. */
export async function lossesDuring(
  lab: Lab,
  flows: readonly MeasuredFlow[],
  happen: () => Promise<void>,
): Promise<Loss[]> {
  const running = await Promise.all(flows.map((flow) => startFlow(lab, flow)));
  await pause(calmMs);
  await happen();
  await pause(effectMs);
  return Promise.all(running.map((one) => one.end()));
}

async function startFlow(lab: Lab, flow: MeasuredFlow): Promise<{ end(): Promise<Loss> }> {
  const { from, to, address, port, giveUpMs } = flow;
  const pings = await lab.startPings({ pairs: [{ from, to, address }] });
  const settings = giveUpMs === undefined ? {} : { giveUpMs };
  const stream = port === undefined ? null : await lab.startStream(from, { address, port, ...settings });
  const end = async () => {
    const before = stream?.echoed() ?? 0;
    const well = () => pings.silentMs() < freshMs && (stream === null || stream.echoed() > before);
    const limitMs = lossWindowMs - effectMs;
    const recovered = await waitFor({ what: 'answers', limitMs, pollMs }, well).catch(() => false);
    const [reports, streamed] = await Promise.all([pings.stop(), stream?.stop()]);
    const [ping] = reports;
    if (ping === undefined) throw new Error('one pair has one report');
    return { ping, stream: streamed ?? null, recovered };
  };
  return { end };
}
