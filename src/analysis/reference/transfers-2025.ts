/**
 * Figures of parallel streams (AMST) in the DWCP v3 benchmark results (2025), as printed there, each with what it can be. Rates
 * are judged by the guard; of what is no rate the verdict is that of a reader of its published source.
 */
import type { PublishedRate } from './plausibility.js';
import type { PublishedFigure } from './published.js';

export const transferTestbed = 'Intel Xeon E5-4657L v2, 96 CPUs at 2.4 GHz, WSL2';
/**
 * Its 96 CPUs are two threads each of 48 cores, which share what a core can store: 16 bytes a cycle with Ivy Bridge (Intel 64 and
 * IA-32 Architectures Optimization Reference Manual, level 1 data cache), at 2.9 GHz at most.
 */
const machine = { testbed: transferTestbed, clockHz: 2.9e9, cpus: 48, storedPerCycle: 16 };
const gigabytes = (value: number) => value * 1e9;

/** @param threads that can have moved bytes at one time */
const rate = (
  claim: string | null,
  what: string,
  threads: number,
  perSecond: number,
): PublishedFigure & { rate: PublishedRate } => ({
  claim,
  what,
  figure: '',
  rate: { ...machine, what, threads, bytesPerSecond: gigabytes(perSecond) },
});

const rates = [
  rate('D1', 'AMST, 1 stream, TCP 64 KB', 1, 3489),
  rate('D1', 'AMST, 8 streams, TCP 64 KB', 8, 2519),
  rate('D1', 'AMST, 32 streams, TCP 64 KB', 32, 2460),
  rate('D2', 'AMST scaling, 1 stream', 1, 3510),
  rate('D2', 'AMST scaling, 8 streams', 8, 2507),
  rate('D2', 'AMST scaling, 32 streams', 32, 2600),
  rate('D2', 'AMST scaling, 128 streams', 128, 3004),
  rate('D2', 'AMST scaling, 512 streams', 512, 3007),
  rate('D3', 'AMST zero-copy, 4 KB', 1, 436.5),
  rate('D3', 'AMST zero-copy, 64 KB', 1, 6995),
  rate('D3', 'AMST zero-copy, 1 MB', 1, 111_467),
  rate('D3', 'AMST zero-copy, 16 MB', 1, 1_807_251),
];

export const transfers2025: readonly PublishedRate[] = rates.map((one) => one.rate);

const slept = {
  plausibility: 'formula' as const,
  why: 'two sleeps of the program, and no socket is opened: a short sleep takes 1.1 ms there',
};

export const published2025: readonly PublishedFigure[] = [
  ...rates,
  { claim: null, what: 'AMST, setting up, TCP local', figure: '2.21 ms', read: slept },
  { claim: null, what: 'AMST, setting up, TCP datacenter', figure: '2.23 ms', read: slept },
  { claim: null, what: 'AMST, setting up, RDMA local', figure: '1.96 ms', read: slept },
  {
    claim: 'D1',
    what: 'AMST, gain over a single stream',
    figure: '85.7 % (target > 70 %)',
    read: {
      plausibility: 'impossible',
      why: 'a ratio of two rates that cannot be, of 512 streams to 1: a loss of 14 %, printed as a gain',
    },
  },
];
