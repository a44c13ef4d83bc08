/** Which blocks of compiled code ran, and how often: V8's own coverage, asked for within the process. */
import { Session } from 'node:inspector';

interface ScriptCoverage {
  url: string;
  functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
}

/** Times a block ran, by a name that stays the same in a process. */
export type Blocks = Map<string, number>;

/** Counts only what is compiled after it was made: load what is to be looked at then. */
export class Coverage {
  readonly #session = new Session();

  /** @param covers parts of the addresses of the files that count */
  constructor(private readonly covers: readonly string[]) {
    this.#session.connect();
    this.#ask('Profiler.enable');
    this.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran since the last call. Takes some milliseconds, because V8 looks at every function there is. */
  take(): Blocks {
    const { result } = this.#ask('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    const blocks: Blocks = new Map();
    for (const { url, functions } of result) {
      if (!this.covers.some((part) => url.includes(part))) continue;
      for (const { ranges } of functions) {
        for (const { startOffset, endOffset, count } of ranges) {
          if (count > 0) blocks.set(`${url}:${startOffset}-${endOffset}`, count);
        }
      }
    }
    return blocks;
  }

  /** Answers at once: the session is our own thread's. */
  #ask(method: string, parameters: object = {}): unknown {
    let answer: unknown;
    this.#session.post(method, parameters, (error, result) => {
      if (error) throw error;
      answer = result;
    });
    return answer;
  }
}
