/** How long a server waits at least before it looks for events, as a factor: alike on a backend and on an engine. */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { isEngine } from '../contract/names.js';
import { wholeNumber } from '../options.js';
import type { Factor, Flag } from './experiment.js';
import { list } from './flags.js';

/** A second. */
const longestUs = 1_000_000;

/** Left out of cells where nobody asks for several; then servers look at once. */
const waitingFactors = { leastWait: z.exactOptional(count) };

const waitingSettings = {
  /** microseconds that each wait lasts at least, 0: it looks at once; left out: nobody asks */
  leastWaits: z.array(count.max(longestUs)).min(1).optional(),
};

type WaitingLevels = z.infer<z.ZodObject<typeof waitingFactors>>;

/** The levels of a server: whoever runs on none of our pollers or engines waits as it always does. */
function waitingLevels(
  { impl }: { impl: string },
  { leastWaits }: z.infer<z.ZodObject<typeof waitingSettings>>,
): WaitingLevels[] {
  if (!leastWaits) return [{}];
  return (impl === 'native' || impl === 'ts' ? leastWaits : [0]).map((leastWait) => ({ leastWait }));
}

/**
 * More completions than ever come together, so that a wait for them is one for the time alone; and a buffer for each of them,
 * for without one what has come is answered in a further turn, after another wait.
 */
const mostOfABatch = 4096;

/** What a server of ours is asked beside. */
function waitingOf({ leastWait = 0 }: WaitingLevels, backend: string | null) {
  if (leastWait === 0) return {};
  return isEngine(backend)
    ? { engineOptions: `batch=${mostOfABatch},wait=${leastWait},buffers=${mostOfABatch}` }
    : { leastWait };
}

const waitingWords: Readonly<Record<'leastWait', Factor>> = {
  leastWait: { name: 'least wait', level: (level) => (level === 0 ? 'looks at once' : `waits ${level} µs`) },
};

const waitingFlags: readonly Flag[] = [
  {
    flags: '--least-wait <list>',
    description: 'microseconds that each wait of a server lasts at least, on backends and engines alike',
    setting: 'leastWaits',
    parse: list(wholeNumber(0, longestUs)),
  },
];

/** All that an experiment takes of it. */
export const waitingAxis = {
  factors: waitingFactors,
  settings: waitingSettings,
  levels: waitingLevels,
  asked: waitingOf,
  words: waitingWords,
  flags: waitingFlags,
};
