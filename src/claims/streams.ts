/** Claims of the DWCP v3 benchmark results (2025) on parallel streams. Its own figures are no measurements. */
import { type Claim, publishedBy } from './claim.js';

const published = publishedBy('dwcp-results');

const supply = "dispatchbench run streams --host 'local,netns:delay=20ms loss=1% rate=100mbit'";

export const streamClaims: readonly Claim[] = [
  {
    ...published(
      'D1',
      'section 1, AMST',
      'Several streams bring more than 70 % more bandwidth than a single stream.',
      'goodput of 8 streams and of 1, over every link and congestion control of a run',
    ),
    experiment: 'streams',
    supply,
    tests: [
      {
        kind: 'ratio',
        metric: 'transfer-rate',
        of: { levels: { impl: 'native', way: 'copy', streams: 8 } },
        to: { levels: { impl: 'native', way: 'copy', streams: 1 } },
        expect: { above: 1.7 },
      },
    ],
  },
  {
    ...published(
      'D2',
      'section 1, stream scalability',
      '512 streams keep 85.7 % of what a single stream carries.',
      'goodput of 1 and of 512 streams',
    ),
    experiment: 'streams',
    supply: 'dispatchbench run streams --ways copy --streams 1,512 --peers none',
    tests: [
      {
        kind: 'ratio',
        metric: 'transfer-rate',
        of: { levels: { impl: 'native', way: 'copy', streams: 512 } },
        to: { levels: { impl: 'native', way: 'copy', streams: 1 } },
        expect: { above: 0.857 },
      },
    ],
  },
  {
    ...published(
      'D3',
      'section 1, zero-copy transfer performance',
      'What is sent without a copy takes the same time at any size: from 436.5 GB/s in chunks of 4 KB to 1 807 251 GB/s in chunks of 16 MB.',
      'goodput without copies in chunks of 4 KiB and of 16 MiB',
    ),
    experiment: 'streams',
    supply: 'dispatchbench run streams --ways zerocopy --streams 1 --chunks 4k,64k,1M,16M --peers none',
    // The size grows by 4096. A tenth of that would still be a rate that hardly knows of it.
    tests: [
      {
        kind: 'ratio',
        metric: 'transfer-rate',
        of: { levels: { impl: 'native', way: 'zerocopy', chunk: 16 << 20, streams: 1 } },
        to: { levels: { impl: 'native', way: 'zerocopy', chunk: 4 << 10, streams: 1 } },
        expect: { above: 410 },
      },
    ],
  },
];
