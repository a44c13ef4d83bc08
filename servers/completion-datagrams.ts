/** An echo of datagrams on a completion engine: each row is one, and is the reply to its sender as it lies in the slab. */
import { CONTROL, type CompletionEngine, RECEIVED, Row } from '../src/dispatch/completion.js';
import type { EngineService } from './completion-service.js';
import type { PolledControl } from './control.js';
import type { Bound } from './hello.js';
import type { Statistics } from './statistics.js';

export class EngineDatagrams implements EngineService {
  constructor(
    readonly engine: CompletionEngine,
    readonly control: PolledControl,
    readonly statistics: Statistics,
    readonly bound: Bound & { ports: number },
  ) {
    statistics.sockets = bound.ports;
  }

  take(count: number): number {
    const { engine } = this;
    const { rows } = engine;
    let replies = 0;
    for (let row = 0, at = 0; row < count; row++, at += Row.words) {
      const slot = rows[at + Row.slot]!;
      switch (rows[at + Row.kind]) {
        case RECEIVED:
          engine.reply(replies++, slot, rows[at + Row.offset]!, rows[at + Row.length]!, false);
          break;
        case CONTROL:
          this.control.onReadable(slot);
          break;
      }
    }
    return replies;
  }

  count(): void {
    const { answered, unsent } = this.engine.counts();
    Object.assign(this.statistics, { requests: answered, unsent });
  }
}
