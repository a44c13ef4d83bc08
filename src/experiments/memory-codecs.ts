/**
 * What does compression make of memory? Seed of the question: a published table of ratios (DWCP v3, 2025) whose column "zstd" is
 * that of snappy, and whose rates of decompression count compressed bytes.
 *
 * Factors: page set x codec and level, in pieces of 1 MiB as published. `none` is what the others are held against.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { pageSet, pageSets } from '../contract/migrate.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { names } from './flags.js';
import { gatewayFactors, gatewayLevels } from './gateways.js';

/** By name: what the program has columns of. */
const columns = {
  none: { codec: 'none', level: 0 },
  snappy: { codec: 'snappy', level: 0 },
  'lz4-1': { codec: 'lz4', level: 1 },
  'lz4-9': { codec: 'lz4', level: 9 },
  'gzip-6': { codec: 'gzip', level: 6 },
  'gzip-9': { codec: 'gzip', level: 9 },
  'zstd-1': { codec: 'zstd', level: 1 },
  'zstd-3': { codec: 'zstd', level: 3 },
  'zstd-9': { codec: 'zstd', level: 9 },
} as const;
type Column = keyof typeof columns;
const columnNames = Object.keys(columns) as Column[];

const cell = z.object({ ...gatewayFactors, pages: pageSet, piece: count });
type CodecsCell = z.infer<typeof cell>;

const settings = z.strictObject({
  codecs: z.array(z.enum(columnNames)).min(1),
  pages: z.array(pageSet).min(1),
  /** bytes compressed at once: as published, and as memory travels here */
  pieces: z.array(z.union([z.literal(1 << 20), z.literal(512 << 10)])).min(1),
  megabytes: count.min(1),
});
type CodecsSettings = z.infer<typeof settings>;

export const memoryCodecs = experiment({
  id: 'memory-codecs',
  question: 'What does compression make of memory, and how fast?',
  axis: '',
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: {
    pages: { name: 'pages', level: (level) => `pages ${level}` },
    piece: { name: 'bytes at once' },
  },
  words: [],
  quick: false,
  flags: [
    {
      flags: '--codecs <list>',
      description: `codecs and levels: ${columnNames.join(', ')}`,
      setting: 'codecs',
      parse: names(columnNames, 'codec'),
    },
    {
      flags: '--pages <list>',
      description: `page sets: ${pageSets.join(', ')}`,
      setting: 'pages',
      parse: names(pageSets, 'page set'),
    },
  ],
  profile: (name): CodecsSettings => ({
    codecs: columnNames,
    pages: [...pageSets],
    pieces: name === 'full' ? [1 << 20, 512 << 10] : [1 << 20],
    megabytes: name === 'full' ? 16 : 1,
  }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 300_000 } : {}),
  cells: ({ codecs, pages, pieces }): CodecsCell[] =>
    pages.flatMap((set) =>
      pieces.flatMap((piece) => codecs.map((name) => ({ ...gatewayLevels(name), pages: set, piece }))),
    ),
  trial: ({ impl, pages, piece }, { megabytes }) => ({
    kind: 'codecs',
    ...columns[impl as Column],
    pages,
    piece,
    bytes: megabytes << 20,
    seed: 1,
  }),
  primary: ['codec-ratio'],
  glance(sample) {
    const ratio = metric('codec-ratio').of(sample);
    return ratio === null ? '' : `${ratio.toFixed(2)} to 1`;
  },
  plots: [
    { kind: 'servers', metrics: ['codec-ratio'], logY: true },
    { kind: 'servers', metrics: ['codec-pack-rate'], logY: true },
    { kind: 'servers', metrics: ['codec-unpack-rate'], logY: true },
  ],
  compared: [{ metric: 'codec-pack-rate', scale: 'ratio' }],
  answers: [],
  modelled: [],
  closing: { rates: [], costs: ['codec-ratio', 'codec-pack-rate', 'codec-unpack-rate'] },
});
