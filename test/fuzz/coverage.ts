/** Which blocks of compiled code ran, and how often: V8's own coverage, asked for within the process. */
import { Session } from 'node:inspector';

interface ScriptCoverage {
  url: string;
  functions: { ranges: { startOffset: number; endOffset: number; count: number }[] }[];
}

interface Range {
  startOffset: number;
  endOffset: number;
}

export interface Ran {
  /** times a block ran, by a name that stays the same in a process; blocks that ran at all */
  blocks: Map<string, number>;
  /** times that V8's blocks ran, all together */
  steps: number;
}

/** Counts only what is compiled after it was made: load what is to be looked at then. */
export class Coverage {
  readonly #session = new Session();
  /**
   * Every block that V8 has told apart, by its function. It tells a block apart only while it ran a different number of
   * times than what surrounds it, so that one that runs once in a function called once is not there.
   */
  readonly #known = new Map<string, Map<string, Range>>();

  /** @param covers parts of the addresses of the files that count */
  constructor(private readonly covers: readonly string[]) {
    this.#session.connect();
    this.#ask('Profiler.enable');
    this.#ask('Profiler.startPreciseCoverage', { callCount: true, detailed: true });
  }

  /** Blocks that ran since the last call. Takes some milliseconds, because V8 looks at every function there is. */
  take(): Ran {
    const { result } = this.#ask('Profiler.takePreciseCoverage') as { result: ScriptCoverage[] };
    const blocks: Ran['blocks'] = new Map();
    let steps = 0;
    for (const { url, functions } of result) {
      if (!this.covers.some((part) => url.includes(part))) continue;
      for (const { ranges } of functions) {
        for (const { count } of ranges) steps += count;
        for (const [name, block] of this.#blocksOf(url, ranges)) {
          // From the outermost to the innermost: the last one that holds it counts it.
          const around = ranges.findLast(
            ({ startOffset, endOffset }) => startOffset <= block.startOffset && block.endOffset <= endOffset,
          );
          if (around && around.count > 0) blocks.set(name, around.count);
        }
      }
    }
    return { blocks, steps };
  }

  /** @param ranges of one function, the function itself first */
  #blocksOf(url: string, ranges: readonly Range[]): Map<string, Range> {
    const nameOf = ({ startOffset, endOffset }: Range) => `${url}:${startOffset}-${endOffset}`;
    const own = nameOf(ranges[0]!);
    const known = this.#known.get(own) ?? new Map<string, Range>();
    this.#known.set(own, known);
    for (const range of ranges) known.set(nameOf(range), range);
    return known;
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
