/** Stacks -> speedscope's file format (https://www.speedscope.app/file-format-schema.json). */
import { frameText } from './frame.js';
import { type Stack, totalWeight } from './stacks.js';

export type WeightUnit = 'samples' | 'microseconds';

/** One sampled profile per entry; all share one frame table, as the format wants it. */
export function speedscope(name: string, profiles: { name: string; unit: WeightUnit; stacks: Stack[] }[]) {
  const frames: { name: string }[] = [];
  const indexOf = new Map<string, number>();
  const frameIndex = (text: string): number => {
    const known = indexOf.get(text);
    if (known !== undefined) return known;
    indexOf.set(text, frames.length);
    return frames.push({ name: text }) - 1;
  };
  const sampled = profiles.map((profile) => ({
    type: 'sampled' as const,
    name: profile.name,
    unit: profile.unit === 'samples' ? ('none' as const) : profile.unit,
    startValue: 0,
    endValue: totalWeight(profile.stacks),
    samples: profile.stacks.map((stack) => stack.frames.map((frame) => frameIndex(frameText(frame)))),
    weights: profile.stacks.map((stack) => stack.weight),
  }));
  return {
    $schema: 'https://www.speedscope.app/file-format-schema.json',
    exporter: 'dispatchbench',
    name,
    activeProfileIndex: 0,
    shared: { frames },
    profiles: sampled,
  };
}
