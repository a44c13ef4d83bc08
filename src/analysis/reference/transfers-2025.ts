/** Transfer rates of the DWCP v3 benchmark results (2025), as printed there. */
import type { PublishedRate } from './plausibility.js';

const testbed = 'Intel Xeon E5-4657L v2, 96 CPUs at 2.4 GHz, WSL2';
const machine = { testbed, clockHz: 2.4e9, cpus: 96 };
const gigabytes = (value: number) => value * 1e9;

export const transfers2025: readonly PublishedRate[] = [
  { ...machine, what: 'AMST, 1 stream, TCP 64 KB', threads: 1, bytesPerSecond: gigabytes(3489) },
  { ...machine, what: 'AMST, 8 streams, TCP 64 KB', threads: 8, bytesPerSecond: gigabytes(2519) },
  { ...machine, what: 'AMST, 32 streams, TCP 64 KB', threads: 32, bytesPerSecond: gigabytes(2460) },
  { ...machine, what: 'AMST, 128 streams', threads: 96, bytesPerSecond: gigabytes(3004) },
  { ...machine, what: 'AMST, 512 streams', threads: 96, bytesPerSecond: gigabytes(3007) },
  { ...machine, what: 'AMST zero-copy, 4 KB', threads: 1, bytesPerSecond: gigabytes(436.5) },
  { ...machine, what: 'AMST zero-copy, 64 KB', threads: 1, bytesPerSecond: gigabytes(6995) },
  { ...machine, what: 'AMST zero-copy, 1 MB', threads: 1, bytesPerSecond: gigabytes(111_467) },
  { ...machine, what: 'AMST zero-copy, 16 MB', threads: 1, bytesPerSecond: gigabytes(1_807_251) },
];
