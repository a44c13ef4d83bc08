/** Sends back what came; a read that brings bytes is a request. */
import type { StreamProtocol } from './protocol.js';
import type { Statistics } from './statistics.js';

export class Echo implements StreamProtocol {
  replyOffset = 0;
  replyLength = 0;
  replyCloses = false;
  readonly #statistics: Statistics;

  constructor(statistics: Statistics) {
    this.#statistics = statistics;
  }

  answer(_slot: number, offset: number, length: number): void {
    this.#statistics.requests++;
    this.replyOffset = offset;
    this.replyLength = length;
  }

  hasRoom(): boolean {
    return true;
  }
  recycle(): void {}
  forget(): void {}
}
