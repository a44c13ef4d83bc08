/**
 * What does it take to move the memory of a guest to another machine? Seed of the question: a report (DWCP v3, 2025) that
 * promises five times less by delta and compression, and QEMU, which moves memory every day.
 *
 * Factors: page set x who moves it and how x rate of the link x pages a second that are written to meanwhile. The link is a relay
 * that both go through and that counts the bytes of both; a rate of 0 is as fast as it is. Where memory is written to, there is
 * a pause in the end, and that is the figure; one page set over links that have a rate is enough to see it.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { type MigrationCodec, pageSet, pageSets, type QemuWay } from '../contract/migrate.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { qemuMissing } from '../stage/migrate.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { list, names } from './flags.js';
import { gatewayFactors, gatewayLevels } from './gateways.js';

const own = {
  none: 'none',
  lz4: 'lz4',
  zstd: 'zstd',
  auto: 'auto',
} as const satisfies Record<string, MigrationCodec>;
const qemu = {
  'qemu-plain': 'plain',
  'qemu-multifd': 'multifd',
  'qemu-multifd-zlib': 'multifd-zlib',
  'qemu-multifd-zstd': 'multifd-zstd',
  'qemu-xbzrle': 'xbzrle',
} as const satisfies Record<string, QemuWay>;
const ways = { ...own, ...qemu };
type Way = keyof typeof ways;
const wayNames = Object.keys(ways) as Way[];

const cell = z.object({ ...gatewayFactors, pages: pageSet, rate: count, dirty: count });
type MemoryCell = z.infer<typeof cell>;

const settings = z.strictObject({
  ways: z.array(z.enum(wayNames)).min(1),
  pages: z.array(pageSet).min(1),
  /** Mbit/s; 0: none */
  rates: z.array(count).min(1),
  /** pages a second that are written to meanwhile; 0: none */
  dirtyRates: z.array(count).min(1).default([0]),
  megabytes: count.min(1).max(1 << 20),
  connections: count.min(1).max(64),
  workers: count.min(1).max(64),
});
type MemorySettings = z.infer<typeof settings>;

const profile = (name: ProfileName): MemorySettings => ({
  ways: name === 'full' ? wayNames : ['none', 'lz4', 'zstd', 'auto', 'qemu-plain', 'qemu-multifd-zstd'],
  pages: name === 'full' ? [...pageSets] : ['vm', 'mixed', 'random'],
  rates: name === 'full' ? [0, 50, 200, 1000] : [0, 200],
  dirtyRates: name === 'full' ? [0, 200, 1000] : [0, 500],
  megabytes: name === 'full' ? 64 : 32,
  connections: 2,
  workers: 2,
});

export const memory = experiment({
  id: 'memory',
  question: "What does it take to move a guest's memory to another machine, by ours and by QEMU?",
  axis: 'rate',
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: {
    pages: { name: 'pages', level: (level) => `pages ${level}` },
    rate: { name: 'Mbit/s', level: (level) => (level === 0 ? 'no rate' : null) },
    dirty: { name: 'pages written a second', level: (level) => (level === 0 ? '' : null) },
  },
  words: [],
  quick: false,
  flags: [
    {
      flags: '--ways <list>',
      description: `who moves it and how: ${wayNames.join(', ')}`,
      setting: 'ways',
      parse: names(wayNames, 'way'),
      names: true,
    },
    {
      flags: '--pages <list>',
      description: `page sets: ${pageSets.join(', ')}`,
      setting: 'pages',
      parse: names(pageSets, 'page set'),
    },
    {
      flags: '--rates <list>',
      description: 'rate of the link to the receiver in Mbit/s, comma-separated; 0: none',
      setting: 'rates',
      parse: list(wholeNumber(0, 1_000_000)),
    },
    {
      flags: '--dirty-rate <list>',
      description:
        'pages a second that are written to while memory is moved, comma-separated; 0: none; others need a link that has a rate',
      setting: 'dirtyRates',
      parse: list(wholeNumber(0, 1_000_000_000)),
    },
    {
      flags: '--megabytes <n>',
      description: 'memory in MiB',
      setting: 'megabytes',
      parse: wholeNumber(1, 1 << 20),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 600_000 } : {}),
  cells: (chosen): MemoryCell[] =>
    chosen.pages.flatMap((pages, i) =>
      chosen.rates.flatMap((rate) =>
        chosen.dirtyRates
          .filter((dirty) => dirty === 0 || (i === 0 && rate > 0))
          .flatMap((dirty) => chosen.ways.map((way) => ({ ...gatewayLevels(way), pages, rate, dirty }))),
      ),
    ),
  trial({ impl, pages, rate, dirty }, { megabytes, connections, workers }) {
    const by =
      impl in qemu
        ? { qemu: qemu[impl as keyof typeof qemu] }
        : { codec: own[impl as keyof typeof own], workers };
    return {
      kind: 'migrate',
      pages,
      bytes: megabytes * 2 ** 20,
      seed: 1,
      connections,
      bitsPerSecond: rate === 0 ? null : rate * 1e6,
      dirtyRate: dirty === 0 ? undefined : dirty,
      by,
      missing: impl in qemu ? (qemuMissing() ?? undefined) : undefined,
    };
  },
  primary: ['migrate-time'],
  glance(sample) {
    const [time, wire] = [metric('migrate-time').of(sample), metric('migrate-wire').of(sample)];
    return time === null || wire === null ? '' : `${time.toFixed(2)} s, ${wire.toFixed(1)} MB`;
  },
  plots: [
    { kind: 'lines', metric: 'migrate-wire', logY: true },
    { kind: 'lines', metric: 'migrate-ratio', logY: true },
    { kind: 'lines', metric: 'migrate-time', logY: true },
    { kind: 'lines', metric: 'migrate-pause', logY: true },
    { kind: 'lines', metric: 'migrate-cpu', logY: true },
    { kind: 'servers', metrics: ['migrate-wire'], logY: true },
    { kind: 'servers', metrics: ['migrate-ratio'], logY: true },
    { kind: 'servers', metrics: ['migrate-time'], logY: true },
    { kind: 'servers', metrics: ['migrate-cpu'], logY: true },
    { kind: 'servers', metrics: ['migrate-pause'], logY: true },
  ],
  compared: [
    { metric: 'migrate-time', scale: 'ratio' },
    { metric: 'migrate-wire', scale: 'ratio' },
    { metric: 'migrate-pause', scale: 'ratio' },
  ],
  answers: [],
  modelled: [],
  closing: {
    rates: [],
    costs: ['migrate-time', 'migrate-wire', 'migrate-ratio', 'migrate-cpu', 'migrate-pause'],
  },
});
