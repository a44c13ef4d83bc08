/** Several workers of one server as a factor: how many threads, and how they share what is to be accepted. */
import { z } from 'zod';
import { acceptSharing, count } from '../contract/common.js';
import { isEngine } from '../contract/names.js';
import { wholeNumber } from '../options.js';
import type { Factor, Flag, PlotRequest } from './experiment.js';
import { list, names } from './flags.js';

/** Left out of cells where nobody asks for several; then servers without workers are of one, and share nothing. */
const workerFactors = {
  workers: z.exactOptional(count.min(1)),
  accept: z.exactOptional(acceptSharing.nullable()),
};

const workerSettings = {
  /** numbers of threads of the native server; left out: nobody asks */
  workers: z.array(count.min(1).max(256)).min(1).optional(),
  /** how several share connections; left out: in every way that their mechanism has */
  accepts: z.array(acceptSharing).min(1).optional(),
};

type WorkerLevels = z.infer<z.ZodObject<typeof workerFactors>>;
type WorkerSettings = z.infer<z.ZodObject<typeof workerSettings>>;

/** Mechanisms that can wake one of several that wait for one socket. */
const wakesOne = (backend: string | null): boolean => backend === 'epoll' || backend === 'epoll-et';

/** The levels of a server. */
function workerLevels(
  { impl, backend }: { impl: string; backend: string | null },
  { workers, accepts = acceptSharing.options }: WorkerSettings,
): WorkerLevels[] {
  if (!workers) return [{}];
  if (impl !== 'native' || isEngine(backend)) return [{ workers: 1, accept: null }];
  return workers.flatMap((many): WorkerLevels[] =>
    many === 1
      ? [{ workers: 1, accept: null }]
      : accepts
          .filter((how) => how !== 'exclusive' || wakesOne(backend))
          .map((accept) => ({ workers: many, accept })),
  );
}

/** What a server of ours is asked beside. */
const workersOf = ({ workers = 1, accept }: WorkerLevels) =>
  workers > 1 && accept ? { workers, accept } : {};

const workerWords: Readonly<Record<'workers' | 'accept', Factor>> = {
  workers: { name: 'workers' },
  accept: { name: 'accept', level: (level) => (level === null ? 'alone' : null) },
};

const workerFlags: readonly Flag[] = [
  {
    flags: '--workers <list>',
    description: 'threads of the native server, comma-separated',
    setting: 'workers',
    parse: list(wholeNumber(1, 256)),
  },
  {
    flags: '--accept <list>',
    description: `how several workers share connections: ${acceptSharing.options.join(', ')}`,
    setting: 'accepts',
    parse: names(acceptSharing.options, 'way to share'),
  },
];

/** Drawn where there are several. */
const workerPlots: readonly PlotRequest[] = [
  { kind: 'lines', metric: 'accepts-max-over-mean', logY: false },
  { kind: 'lines', metric: 'accepts-variation', logY: false },
  { kind: 'lines', metric: 'empty-accepts', logY: false },
];

/** For a glance: '1.20 × the mean of connections at the busiest worker'; empty where there is one. */
const spreadInWords = (spread: number | null): string =>
  spread === null ? '' : `${spread.toFixed(2)} × the mean of connections at the busiest worker`;

/** All that an experiment takes of it. */
export const workerAxis = {
  factors: workerFactors,
  settings: workerSettings,
  levels: workerLevels,
  asked: workersOf,
  words: workerWords,
  flags: workerFlags,
  plots: workerPlots,
  inWords: spreadInWords,
};
