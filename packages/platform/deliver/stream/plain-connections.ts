// Connections of the node listener that carry no stream (yet): in handshakes, with a request, or idle. Each is over in
// moments when it is honest, so of too many the one that was opened first makes room: whoever holds thousands of them
// open loses those, and locks nobody out.
/** What is needed of a socket. */
interface Line {
  readonly remoteAddress?: string | undefined;
  readonly remotePort?: number | undefined;
  destroy(): unknown;
  once(event: 'close', run: () => void): unknown;
}

export class PlainConnections {
  readonly #max: number;
  /** By the place of the other end, in the order in which they were opened. */
  readonly #lines = new Map<string, Line>();

  constructor(max: number) {
    this.#max = max;
  }

  get count(): number {
    return this.#lines.size;
  }

  opened(line: Line): void {
    const place = placeOf(line);
    this.#lines.set(place, line);
    line.once('close', () => {
      if (this.#lines.get(place) === line) this.#lines.delete(place);
    });
    for (const [oldest, held] of this.#lines) {
      if (this.#lines.size <= this.#max) break;
      this.#lines.delete(oldest);
      held.destroy();
    }
  }

  /** It carries a stream from here on. `line` may be the TLS connection over the one that was opened. */
  upgraded(line: Pick<Line, 'remoteAddress' | 'remotePort'>): void {
    this.#lines.delete(placeOf(line));
  }
}

function placeOf({ remoteAddress, remotePort }: Pick<Line, 'remoteAddress' | 'remotePort'>): string {
  return `${remoteAddress} ${remotePort}`;
}
