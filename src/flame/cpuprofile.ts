/** V8's .cpuprofile (node --cpu-prof, node:inspector) -> stacks. It knows JavaScript only. */
import { z } from 'zod';
import { validated } from '../contract/validated.js';
import { type Frame, javascriptFrame } from './frame.js';
import { mergeStacks, type Stack } from './stacks.js';

const cpuProfile = z.object({
  nodes: z.array(
    z.object({
      id: z.number(),
      callFrame: z.object({ functionName: z.string(), url: z.string(), lineNumber: z.number() }),
      children: z.array(z.number()).optional(),
    }),
  ),
  /** microseconds on the monotonic clock */
  startTime: z.number(),
  endTime: z.number(),
  samples: z.array(z.number()),
  timeDeltas: z.array(z.number()),
});

/** Half-open ranges of the monotonic clock in microseconds. */
export type Ranges = { from: number; to: number }[];

export interface V8Profile {
  /** weights in whole microseconds */
  stacks: Stack[];
  samples: number;
}

/**
 * Time between two samples belongs to the stack of the first of them. Time outside `ranges` and the time V8 calls
 * idle are left out.
 * @throws Error with one sentence when the text is not a CPU profile
 */
export function parseCpuProfile(text: string, root = '', ranges: Ranges | null = null): V8Profile {
  const profile = validated(cpuProfile, JSON.parse(text), 'not a V8 CPU profile');
  const { nodes, samples, timeDeltas, startTime } = profile;
  const byId = new Map(nodes.map((node) => [node.id, node]));
  const parent = new Map(nodes.flatMap((node) => (node.children ?? []).map((child) => [child, node.id])));
  const framesOf = (id: number): Frame[] => {
    const frames: Frame[] = [];
    for (let at: number | undefined = id; at !== undefined; at = parent.get(at)) {
      frames.unshift(callFrame(byId.get(at)!.callFrame, root));
    }
    return frames;
  };
  const weights = new Map<number, number>();
  let kept = 0;
  let time = startTime;
  samples.forEach((id, index) => {
    time += timeDeltas[index] ?? 0;
    const weight = timeDeltas[index + 1] ?? 0;
    if (ranges && !ranges.some(({ from, to }) => time >= from && time < to)) return;
    if (byId.get(id)?.callFrame.functionName === '(idle)') return;
    kept += 1;
    weights.set(id, (weights.get(id) ?? 0) + Math.max(weight, 0));
  });
  const stacks = [...weights]
    .filter(([, weight]) => weight > 0)
    .map(([id, weight]) => ({ frames: framesOf(id), weight }));
  return { stacks: mergeStacks(stacks), samples: kept };
}

function callFrame(
  { functionName, url, lineNumber }: { functionName: string; url: string; lineNumber: number },
  root: string,
): Frame {
  if (functionName === '(root)') return { name: 'node', kind: 'thread' };
  if (/^\(.+\)$/.test(functionName)) return { name: functionName, kind: 'runtime' };
  return javascriptFrame(functionName, url === '' ? '' : `${url}:${lineNumber + 1}`, root);
}
