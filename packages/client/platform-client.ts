// The HTTP client of a platform: actions by POST /api/v1/actions/<name>, and event streams. It needs only `fetch`, so it
// works the same in browsers and in Node.
import { isRecord, parseJson } from '@powernode/core/json';
import { answerBytesMax } from '@powernode/core/limits/clients';
import { CallError, callError, noResponseError, responseError } from './call-error.ts';

export type Fetch = (url: string, init: RequestInit) => Promise<Response>;

export interface PlatformClientOptions {
  /** Origin of the platform, such as `https://net.example:7070`; empty in a page that the platform served. */
  readonly url: string;
  /** Called for each request; null: the request carries no token. */
  readonly token: () => string | null;
  readonly fetch: Fetch;
  /** Sent with every request. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Milliseconds from the request to the end of the response; null: no timeout. */
  readonly timeoutMs: number | null;
}

export interface CallOptions {
  readonly headers?: Readonly<Record<string, string>>;
  /** Aborts the call; replaces `timeoutMs`. */
  readonly signal?: AbortSignal | undefined;
}

/** A success: 200, 201, or 202 when the action waits for an approval. */
export interface Answer {
  readonly status: number;
  readonly body: Record<string, unknown>;
}

export class PlatformClient {
  readonly url: string;
  readonly #options: PlatformClientOptions;

  constructor(options: PlatformClientOptions) {
    this.url = options.url;
    this.#options = options;
  }

  /** Runs an action by its public name. Throws `CallError` for everything that is not a success. */
  async call(action: string, input: unknown, options: CallOptions = {}): Promise<Answer> {
    const { timeoutMs } = this.#options;
    const signal = options.signal ?? (timeoutMs === null ? undefined : AbortSignal.timeout(timeoutMs));
    const { response, text } = await this.#withNetworkErrors(options.signal, async () => {
      const answered = await this.#fetch(`/api/v1/actions/${action}`, {
        method: 'POST',
        headers: { 'content-type': 'application/json', accept: 'application/json', ...options.headers },
        body: JSON.stringify(input),
        signal,
      });
      return { response: answered, text: await boundedText(answered) };
    });
    const body = response.ok ? parseJson(text) : undefined;
    if (!isRecord(body)) throw responseError({ url: this.url, status: response.status, text });
    return { status: response.status, body };
  }

  /** A stream of server-sent events, once it is open. `signal` ends it. */
  async openStream(path: string, { headers, signal }: CallOptions = {}): Promise<ReadableStream<Uint8Array>> {
    const { response, text } = await this.#withNetworkErrors(signal, async () => {
      const answered = await this.#fetch(path, {
        headers: { accept: 'text/event-stream', ...headers },
        signal,
      });
      return { response: answered, text: answered.ok ? '' : await boundedText(answered) };
    });
    if (!response.ok) throw responseError({ url: this.url, status: response.status, text });
    if (response.body === null) throw callError('platform_unreachable', 'The stream is empty.');
    return response.body;
  }

  /** Resolves when the server responds to /healthz, with whatever status. */
  async checkHealth(signal: AbortSignal): Promise<void> {
    await this.#withNetworkErrors(signal, async () => {
      const answered = await this.#fetch('/healthz', { signal });
      await answered.body?.cancel();
    });
  }

  #fetch(path: string, request: Request): Promise<Response> {
    const { signal, ...init } = request;
    const token = this.#options.token();
    return this.#options.fetch(`${this.url}${path}`, {
      ...init,
      headers: {
        ...this.#options.headers,
        ...init.headers,
        ...(token === null ? {} : { authorization: `Bearer ${token}` }),
      },
      // A redirect could send the token to another server; a cache could respond for a platform that is down.
      redirect: 'error',
      cache: 'no-store',
      ...(signal === undefined ? {} : { signal }),
    });
  }

  /** Turns network failures into `CallError`, except when the caller aborted the request. */
  async #withNetworkErrors<T>(givenUp: AbortSignal | undefined, ask: () => Promise<T>): Promise<T> {
    try {
      return await ask();
    } catch (error) {
      if (error instanceof CallError || givenUp?.aborted === true || isAbort(error)) throw error;
      throw noResponseError(this.url, error);
    }
  }
}

interface Request {
  readonly method?: 'POST';
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: string;
  readonly signal: AbortSignal | undefined;
}

function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

async function boundedText(response: Response): Promise<string> {
  if (response.body === null) return '';
  const source = response.body.getReader();
  const decoder = new TextDecoder();
  let text = '';
  let size = 0;
  for (let piece = await source.read(); !piece.done; piece = await source.read()) {
    size += piece.value.byteLength;
    if (size > answerBytesMax) {
      await source.cancel();
      throw callError('payload_too_large', 'The response is too large; request fewer rows with limit.');
    }
    text += decoder.decode(piece.value, { stream: true });
  }
  return text + decoder.decode();
}
