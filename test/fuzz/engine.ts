/**
 * Fuzzing led by coverage, as libFuzzer does it, for what reads bytes of strangers in TypeScript. An input that reaches
 * something new is kept and changed further. A finding is an input whose target throws, takes more steps than its length
 * allows, does not come to an end, or makes the process grow without end.
 */
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext, Script } from 'node:vm';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import type { Coverage, Ran } from './coverage.js';
import { mutated } from './mutate.js';

export interface Target {
  /** to begin with */
  seeds: readonly Uint8Array[];
  /** that mean something there */
  words: readonly string[];
  longest: number;
  /** how often all blocks of the covered files together may run for a byte of input */
  stepsPerByte: number;
  /** Judges one input. Whatever it throws is a finding. */
  judge(input: Buffer): void | Promise<void>;
  close?(): void;
}

export class Finding extends Error {
  constructor(
    readonly input: Buffer,
    why: string,
  ) {
    super(why);
  }
}

export interface Outcome {
  inputs: number;
  /** inputs that reached something new, those to begin with among them */
  corpus: Buffer[];
  /** blocks that ran at all */
  blocks: number;
}

/** Looking at the coverage costs as much as some hundred inputs. */
const BATCH = 64;
/** No input takes so long, on the slowest machine, milliseconds. */
const LONGEST_MS = 20_000;
/** What a target may do whatever the input: read a good piece before it, for example. */
const STEPS_AT_LEAST = 200_000;
const MOST_BYTES = 1 << 30;
/** Growth is what a collection does not give back. */
setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

/** Runs it on this thread, ended by V8 when it does not come to an end by itself. */
const bounded = new Script('globalThis.fuzzed()');

async function judge(target: Target, input: Buffer, longestMs: number): Promise<void> {
  const answers: (void | Promise<void>)[] = [];
  (globalThis as { fuzzed?: () => void }).fuzzed = () => answers.push(target.judge(input));
  try {
    bounded.runInThisContext({ timeout: longestMs });
    if (!answers[0]) return;
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise((_, reject) => {
      timer = setTimeout(() => reject(new Error(`no end after ${longestMs} ms`)), longestMs);
    });
    await Promise.race([answers[0], late]).finally(() => clearTimeout(timer));
  } catch (error) {
    throw new Finding(input, (error as Error).stack ?? String(error));
  }
}

/** 1, 2, 3, 4 to 7, 8 to 15, ...: that a loop runs once more is nothing new, that it runs twice as often is. */
const magnitude = (count: number) => (count < 4 ? count : 2 + Math.floor(Math.log2(count)));

/** What was reached so far. */
class Reached {
  readonly blocks = new Set<string>();
  readonly #magnitudes = new Set<string>();

  /** Of several inputs at once: only whether a block ran tells something. */
  anyNew(blocks: Ran['blocks']): boolean {
    return [...blocks.keys()].some((block) => !this.blocks.has(block));
  }

  /** Of one input. */
  add(blocks: Ran['blocks']): boolean {
    const before = this.#magnitudes.size;
    for (const [block, count] of blocks) {
      this.blocks.add(block);
      this.#magnitudes.add(`${block} ${magnitude(count)}`);
    }
    return this.#magnitudes.size > before;
  }
}

export interface Search {
  seed: number;
  /** inputs to begin with, beside the target's own */
  known: readonly Uint8Array[];
  /** asked before each batch whether it was enough */
  until(inputs: number): boolean;
  longestMs?: number;
}

/** @throws Finding */
export async function fuzz(
  target: Target,
  coverage: Coverage,
  { seed, known, until, longestMs = LONGEST_MS }: Search,
): Promise<Outcome> {
  const random: Random = randomFrom(seed);
  const reached = new Reached();
  const corpus: Buffer[] = [];
  let inputs = 0;

  const alone = async (input: Buffer): Promise<boolean> => {
    await judge(target, input, longestMs);
    const { blocks, steps } = coverage.take();
    const most = STEPS_AT_LEAST + target.stepsPerByte * input.length;
    if (steps > most) throw new Finding(input, `${steps} steps for ${input.length} bytes, more than ${most}`);
    return reached.add(blocks);
  };

  coverage.take();
  for (const input of [...target.seeds, ...known]) {
    const one = Buffer.from(input);
    await alone(one);
    corpus.push(one);
    inputs++;
  }
  while (!until(inputs)) {
    const batch = Array.from({ length: BATCH }, () => mutated(random, corpus, target.words, target.longest));
    for (const input of batch) await judge(target, input, longestMs);
    inputs += BATCH;
    const { blocks, steps } = coverage.take();
    const bytes = batch.reduce((all, { length }) => all + length, 0);
    const many = steps > BATCH * STEPS_AT_LEAST + target.stepsPerByte * bytes;
    // Now and then also for loops that run longer than ever before.
    if (many || reached.anyNew(blocks) || random() < 0.02) {
      for (const input of batch) if (await alone(input)) corpus.push(input);
    }
    if (process.memoryUsage.rss() > MOST_BYTES / 2) {
      collect();
      // Memory of buffers is freed beside this thread.
      await pause(1);
    }
    const rss = process.memoryUsage.rss();
    if (rss > MOST_BYTES) throw new Finding(batch.at(-1)!, `the process has grown to ${rss} bytes`);
  }
  return { inputs, corpus, blocks: reached.blocks.size };
}
