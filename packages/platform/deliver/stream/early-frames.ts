// Frames of a stream that came while it was not known whether the stream may be the machine's.
import { streamQuestionsMax } from '@powernode/core/limits/failover';
import { nodeUplinkFrameBytesMax } from '@powernode/core/limits/node-stream';

export class EarlyFrames {
  #frames: string[] = [];

  /** false: there are more than a machine has to say by then. */
  keep(frame: string): boolean {
    this.#frames.push(frame);
    const length = this.#frames.reduce((sum, one) => sum + one.length, 0);
    return length <= nodeUplinkFrameBytesMax && this.#frames.length <= streamQuestionsMax;
  }

  drain(): string[] {
    return this.#frames.splice(0);
  }
}
