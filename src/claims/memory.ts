/** Claims on the compression of memory, as a report of 2025 makes them (DWCP v3, "HDE"). Numbers up to D10 are of its streams. */
import { type AgainstTest, type Claim, publishedBy, rounded } from './claim.js';

const published = publishedBy('dwcp-results');

const against = (impl: string | string[], pages: string | string[], published: number): AgainstTest => ({
  kind: 'ratio',
  metric: 'codec-ratio',
  of: { levels: { impl, pages } },
  to: { levels: { impl: 'none', pages } },
  alike: ['pages'],
  // What was published is rounded: within 2 % it is the same.
  expect: { within: [rounded(published * 0.98), rounded(published * 1.02)] },
});

const run = { experiment: 'memory-codecs', supply: 'dispatchbench run memory-codecs' } as const;
/** A share that was saved as how many times smaller it is. */
const times = (saved: number): number => 100 / (100 - saved);

export const memoryClaims: readonly Claim[] = [
  {
    ...published(
      'D11',
      'section 2, target',
      'Compression exceeds the target of 5 to 1 for every kind of data, up to 1000 to 1.',
      'ratio of each codec on zeros, text, memory like that of a virtual machine, and a mixed load',
    ),
    ...run,
    tests: [
      {
        kind: 'ratio',
        metric: 'codec-ratio',
        of: {
          levels: {
            impl: ['snappy', 'lz4-1', 'gzip-9', 'zstd-1'],
            pages: ['zeros', 'text', 'vm', 'mixed'],
          },
        },
        to: { levels: { impl: 'none', pages: ['zeros', 'text', 'vm', 'mixed'] } },
        alike: ['pages'],
        expect: { above: 5 },
      },
    ],
  },
  {
    ...published(
      'D12',
      'section 2, table',
      'Ratios on memory like that of a virtual machine: gzip 9.7, lz4 9.6; on a mixed load: 3.3 both.',
      'ratio of gzip and lz4 on both page sets, in one piece of 1 MiB',
    ),
    ...run,
    tests: [
      against('gzip-9', 'vm', times(89.74)),
      against('lz4-1', 'vm', times(89.6)),
      against('gzip-9', 'mixed', times(69.81)),
      against('lz4-1', 'mixed', times(69.6)),
    ],
  },
  {
    ...published(
      'D13',
      'section 2, table',
      'zstd comes to the ratio of snappy: 7.0 on memory like that of a virtual machine, 3.0 on a mixed load.',
      'ratio of zstd on both page sets, in one piece of 1 MiB',
    ),
    ...run,
    tests: [
      against(['zstd-1', 'zstd-3'], 'vm', times(85.77)),
      against(['zstd-1', 'zstd-3'], 'mixed', times(66.71)),
    ],
  },
];
