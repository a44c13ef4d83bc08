/** Claims on Wasm on devices, as the review questions on a paper of 2023 tell them. */
import type { PlannedClaim } from './claim.js';

const wasm = (
  id: string,
  where: string,
  statement: string,
  cells: string,
  planned: string,
): PlannedClaim => ({
  id,
  source: { work: 'isomorphic-iot-review', where },
  statement,
  cells,
  planned,
});

export const wasmClaims: readonly PlannedClaim[] = [
  wasm(
    'W1',
    'question 2',
    'A call into Wasm costs a constant 221 µs or so over native on a small device (31.01 to 252.48 µs).',
    'call cost native and Wasm over argument size and work size',
    'an experiment that calls modules on a small device, held against a constant difference',
  ),
  wasm(
    'W2',
    'questions 1 and 6',
    'Hot update of a module is about 7 times faster than a firmware restart (1.4 s against more than 10 s).',
    'time to the first request answered by a new module, against process restart and container replacement, under load',
    'an experiment that updates modules under load, with the failed requests of each way',
  ),
  wasm(
    'W3',
    'question 3',
    'The same binary runs unchanged on device, edge and cloud.',
    'the same module digest on every engine and host of a run, with the same output',
    'a run of one module over engines and hosts, held against equal digests and equal output',
  ),
  wasm(
    'W4',
    'question 5',
    'Memory per instance: Wasm 1 to 5 MB, Docker 50 to 200 MB, eBPF about 512 KB.',
    'marginal memory of the n-th instance, n = 1..64, per kind of instance',
    'an experiment that starts instances beside each other, held against the three published ranges',
  ),
];
