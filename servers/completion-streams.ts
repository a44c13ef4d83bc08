/** The connections of a completion engine: what each sent goes through a protocol, whose replies go out with the next turn. */
import { CONTROL, type CompletionEngine, GONE, RECEIVED, Row } from '../src/dispatch/completion.js';
import type { EngineService } from './completion-service.js';
import type { PolledControl } from './control.js';
import type { Bound } from './hello.js';
import { RECEIVE_WINDOW } from './io-desk.js';
import type { StreamProtocol } from './protocol.js';

export class EngineStreams implements EngineService {
  /** by slot: the last reply was given, and what comes behind its request is not looked at */
  readonly #ending: Uint8Array;
  #replies = 0;

  constructor(
    readonly engine: CompletionEngine,
    readonly control: PolledControl,
    readonly protocol: StreamProtocol,
    readonly bound: Bound,
  ) {
    this.#ending = new Uint8Array(engine.slots);
  }

  take(count: number): number {
    const { rows } = this.engine;
    this.#replies = 0;
    this.protocol.recycle(); // what was put together for the last turn has been sent
    for (let row = 0, at = 0; row < count; row++, at += Row.words) {
      const slot = rows[at + Row.slot]!;
      switch (rows[at + Row.kind]) {
        case RECEIVED:
          this.#received(slot, rows[at + Row.offset]!, rows[at + Row.length]!);
          break;
        case GONE:
          this.protocol.forget(slot);
          this.#ending[slot] = 0;
          break;
        case CONTROL:
          this.control.onReadable(slot);
          break;
      }
    }
    return this.#replies;
  }

  count(): void {}

  #received(slot: number, offset: number, length: number): void {
    const { protocol, engine } = this;
    // A protocol has room for the answers to so much at a time.
    for (let taken = 0; taken < length && this.#ending[slot] === 0; taken += RECEIVE_WINDOW) {
      const part = Math.min(length - taken, RECEIVE_WINDOW);
      if (!protocol.hasRoom(part) || this.#replies === engine.most) {
        engine.keep(this.#replies);
        this.#replies = 0;
        protocol.recycle();
      }
      protocol.answer(slot, offset + taken, part);
      if (protocol.replyLength === 0 && !protocol.replyCloses) continue;
      if (protocol.replyCloses) this.#ending[slot] = 1;
      engine.reply(this.#replies++, slot, protocol.replyOffset, protocol.replyLength, protocol.replyCloses);
    }
  }
}
