/** Claims on Wasm on devices, as the review questions on a paper of 2023 tell them. */
import type { Claim, PlannedClaim, PublishedStatement } from './claim.js';

const published = (id: string, where: string, statement: string, cells: string): PublishedStatement => ({
  id,
  source: { work: 'isomorphic-iot-review', where },
  statement,
  cells,
});

const wasm = (
  id: string,
  where: string,
  statement: string,
  cells: string,
  planned: string,
): PlannedClaim => ({ ...published(id, where, statement, cells), planned });

export const wasmClaims: readonly Claim[] = [
  wasm(
    'W1',
    'question 2',
    'A call into Wasm costs a constant 221 µs or so over native on a small device (31.01 to 252.48 µs).',
    'call cost native and Wasm over argument size and work size',
    'an experiment that calls modules on a small device, held against a constant difference',
  ),
  {
    ...published(
      'W2',
      'questions 1 and 6',
      'Hot update of a module is about 7 times faster than a firmware restart (1.4 s against more than 10 s).',
      'time to the first reply of a new version, by a module that is exchanged and by a guest that boots again, under load',
    ),
    experiment: 'hot-update',
    // The guest boots where there is hardware virtualisation; an emulated one says what emulation costs.
    supply: 'dispatchbench run hot-update --gateways hot_host,hot_node,guest_reboot',
    tests: [
      {
        kind: 'ratio',
        metric: 'update-first',
        of: { levels: { impl: 'guest_reboot' } },
        to: { levels: { impl: ['hot_host', 'hot_node'] } },
        expect: { above: 7 },
      },
    ],
  },
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
