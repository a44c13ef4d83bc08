/** Stacks with weights: the neutral form every profiler's output is brought to, and its folded text. */
import { type Frame, frameText, parseFrame } from './frame.js';

/** Root first, leaf last. Weight is a number of samples, or microseconds from V8's profiler. */
export interface Stack {
  frames: Frame[];
  weight: number;
}

/** Equal stacks become one, in the order of their text, so that equal profiles give equal files. */
export function mergeStacks(stacks: Iterable<Stack>): Stack[] {
  const merged = new Map<string, Stack>();
  for (const stack of stacks) {
    const key = stack.frames.map(frameText).join(';');
    const known = merged.get(key);
    if (known) known.weight += stack.weight;
    else merged.set(key, { ...stack });
  }
  return [...merged.entries()].sort(([a], [b]) => (a < b ? -1 : 1)).map(([, stack]) => stack);
}

export function totalWeight(stacks: Stack[]): number {
  return stacks.reduce((sum, stack) => sum + stack.weight, 0);
}

/** `root;...;leaf weight`, a stack a line; read by FlameGraph, speedscope and inferno. */
export function formatFolded(stacks: Stack[]): string {
  return stacks.map((stack) => `${stack.frames.map(frameText).join(';')} ${stack.weight}\n`).join('');
}

/** @throws Error naming the first line that is not `frames weight` */
export function parseFolded(text: string): Stack[] {
  return text
    .split('\n')
    .map((line, index) => ({ line: line.trim(), number: index + 1 }))
    .filter(({ line }) => line !== '')
    .map(({ line, number }) => {
      const match = /^(.+) (\d+(?:\.\d+)?)$/.exec(line);
      if (!match) throw new Error(`line ${number} of the folded stacks is not 'frame;frame weight': ${line}`);
      return { frames: match[1]!.split(';').map(parseFrame), weight: Number(match[2]) };
    });
}
