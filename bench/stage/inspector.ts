// Speaks to the inspector of another Node process: has its heap collected, and its processor time profiled.
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';

const answer = z.object({ id: z.number(), result: z.unknown().optional(), error: z.unknown().optional() });

export class Inspector {
  readonly #socket: WebSocket;
  readonly #waiting = new Map<
    number,
    { resolve: (value: unknown) => void; reject: (error: Error) => void }
  >();
  #last = 0;

  static async open(url: string | null): Promise<Inspector> {
    if (url === null) throw new Error('that process was started without an inspector');
    const socket = new WebSocket(url);
    await new Promise<void>((resolve, reject) => {
      socket.addEventListener('open', () => resolve());
      socket.addEventListener('error', () => reject(new Error(`nothing answers at ${url}`)));
    });
    return new Inspector(socket);
  }

  private constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.addEventListener('message', ({ data }) => {
      const parsed = answer.safeParse(JSON.parse(String(data)));
      if (!parsed.success) return;
      const { id, result, error } = parsed.data;
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(JSON.stringify(error)));
    });
  }

  /** Twice: what the first round finds ready for finalization is free after the second. */
  async collectGarbage(): Promise<void> {
    for (let round = 0; round < 2; round++) {
      await this.#call('HeapProfiler.collectGarbage');
      await pause(200);
    }
  }

  async beginProfile(): Promise<void> {
    await this.#call('Profiler.enable');
    await this.#call('Profiler.setSamplingInterval', { interval: 200 });
    await this.#call('Profiler.start');
  }

  /** The profile as Chromium's tools read it (.cpuprofile). */
  async endProfile(): Promise<unknown> {
    const { profile } = z.object({ profile: z.unknown() }).parse(await this.#call('Profiler.stop'));
    await this.#call('Profiler.disable');
    return profile;
  }

  close(): void {
    this.#socket.close();
  }

  #call(method: string, params: object = {}): Promise<unknown> {
    const id = ++this.#last;
    return new Promise((resolve, reject) => {
      this.#waiting.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ id, method, params }));
    });
  }
}
