/**
 * Published times of bandwidth prediction (DWCP v3 Phase 0 Benchmark Results, section 3, 2025): one prediction by a recurrent
 * net, by the length of its sequence and its hidden units. The report names no number of inputs.
 */
export const dwcpLstm2025 = [
  { sequence: 10, hidden: 32, us: 1.07 },
  { sequence: 50, hidden: 64, us: 2.01 },
  { sequence: 100, hidden: 128, us: 3.88 },
] as const;

/** Of its test machine: Intel Xeon E5-4657L v2. */
export const dwcpProcessor = {
  // AVX without fused multiply-add: eight multiplications and eight additions a cycle, at the highest turbo clock.
  peakFlopPerSecond: 16 * 2.9e9,
  why: '16 operations a cycle in single precision at 2.9 GHz',
} as const;
