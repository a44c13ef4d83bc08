/**
 * Figures of the compression of memory (HDE) in the DWCP v3 benchmark results (2025), as printed there, each with what it can be.
 * Its page sets are those of src/contract/migrate.ts, in one piece of 1 MiB.
 */
import type { PublishedFigure } from './published.js';
import { transferTestbed } from './transfers-2025.js';

export const memoryTestbed = transferTestbed;

/** Percent of the bytes that were saved. `snappy` stands there as "snappy/zstd". */
export const savedByCodec = {
  zeros: { gzip: 99.9, lz4: 99.6, snappy: 95.31 },
  text: { gzip: 99.7, lz4: 99.6, snappy: 95.23 },
  vm: { gzip: 89.74, lz4: 89.6, snappy: 85.77 },
  mixed: { gzip: 69.81, lz4: 69.6, snappy: 66.71 },
} as const;
export type PublishedPages = keyof typeof savedByCodec;
export type PublishedCodec = keyof (typeof savedByCodec)[PublishedPages];

/** How many times smaller. */
export const ratioOf = (savedPercent: number): number => 100 / (100 - savedPercent);

const measured = {
  plausibility: 'real' as const,
  why: 'its own generator makes the same pages here, and they come to the same',
};
export const asZstd = {
  plausibility: 'misnamed' as const,
  why: 'of snappy, which its program calls in the place of zstd',
};
const ofWhatGoesIn = (perSecond: string) => ({
  plausibility: 'misnamed' as const,
  why: `bytes that go in, compressed: of memory that comes out ${perSecond}`,
});

const printed: Readonly<Record<PublishedCodec, string>> = {
  gzip: 'gzip-best',
  lz4: 'lz4',
  snappy: 'snappy',
};

const ratios = Object.entries(savedByCodec).flatMap(([pages, codecs]) =>
  Object.entries(codecs).flatMap(([codec, saved]): PublishedFigure[] => {
    const common = { claim: pages === 'vm' || pages === 'mixed' ? 'D12' : null, figure: `${saved} % saved` };
    const one = { ...common, what: `HDE, ${pages}, ${printed[codec as PublishedCodec]}`, read: measured };
    return codec === 'snappy'
      ? [one, { ...common, claim: common.claim && 'D13', what: `HDE, ${pages}, zstd`, read: asZstd }]
      : [one];
  }),
);

export const memory2025: readonly PublishedFigure[] = [
  ...ratios,
  {
    claim: 'D11',
    what: 'HDE, 5 to 1 for every kind of data',
    figure: 'passed',
    read: {
      plausibility: 'impossible',
      why: '30 % of its mixed load are random: no codec comes to more than 3.33, and its own table has 3.3',
    },
  },
  { claim: null, what: 'HDE, snappy, compressing', figure: '762 MB/s', read: measured },
  { claim: null, what: 'HDE, lz4, compressing', figure: '711 MB/s', read: measured },
  {
    claim: null,
    what: 'HDE, snappy, decompressing',
    figure: '104 MB/s',
    read: ofWhatGoesIn('some 7 times as many'),
  },
  {
    claim: null,
    what: 'HDE, lz4, decompressing',
    figure: '12.3 MB/s',
    read: ofWhatGoesIn('some 10 times as many'),
  },
];
