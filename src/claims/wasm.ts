/** Claims on Wasm on devices, as the review questions on a paper of 2023 tell them. */
import { type Claim, publishedBy, type SlopeTest } from './claim.js';

const published = publishedBy('isomorphic-iot-review');

/** In the metric's unit. */
const MiB = 1024;

/** What one more instance takes. */
const grows = (impl: string, within: readonly [number, number]): SlopeTest => ({
  kind: 'slope',
  metric: 'instances-memory',
  factor: 'instances',
  of: { levels: { impl } },
  per: 1,
  reach: 16,
  expect: { within },
});

export const wasmClaims: readonly Claim[] = [
  {
    ...published(
      'W1',
      'question 2',
      'A call into Wasm costs a constant 221 µs or so over native on a small device (31.01 to 252.48 µs).',
      'time of a call over the same work in native code, over the size of its argument and of its work',
    ),
    experiment: 'wasm-calls',
    supply: 'dispatchbench run wasm-calls',
    // How many microseconds belongs to the device. Constant: the same within a factor of 1.5 from one end to the other.
    tests: [
      {
        kind: 'ratio-along',
        metric: 'call-over-native',
        factor: 'argument',
        of: { levels: { impl: 'host', work: 'hello', row: ['json', 'fresh', 'bare'] } },
        // The source's calls go by JSON through linear memory.
        deciding: { levels: { row: 'json' } },
        from: 16,
        reach: 65_536,
        expect: { within: [0.67, 1.5] },
      },
      {
        kind: 'ratio-along',
        metric: 'call-over-native',
        factor: 'amount',
        of: { levels: { impl: 'host', work: 'sha256', row: ['json', 'fresh', 'bare'] } },
        deciding: { levels: { row: 'json' } },
        from: 1,
        reach: 20_000,
        expect: { within: [0.67, 1.5] },
      },
    ],
  },
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
        of: { levels: { impl: ['guest_reboot', 'guest_reboot_emulated'] } },
        deciding: { levels: { impl: 'guest_reboot' } },
        to: { levels: { impl: ['hot_host', 'hot_node'] } },
        expect: { above: 7 },
      },
    ],
  },
  {
    ...published(
      'W3',
      'question 3',
      'The same binary runs unchanged on device, edge and cloud.',
      'the same module on every engine and host of a run, with the same output',
    ),
    experiment: 'wasm-everywhere',
    supply: 'dispatchbench run wasm-everywhere --host local,qemu-linux',
    tests: [
      { kind: 'same', metric: 'module-fingerprint', of: {} },
      { kind: 'same', metric: 'output-fingerprint', of: {} },
    ],
  },
  {
    ...published(
      'W4',
      'question 5',
      'Memory per instance: Wasm 1 to 5 MB, Docker 50 to 200 MB, eBPF about 512 KB.',
      'memory of 1 to 64 instances of each kind, and what one more takes',
    ),
    experiment: 'wasm-memory',
    supply: 'dispatchbench run wasm-memory --host containers',
    // As published; "about" is taken as within a factor of two. Growth, so that what all share is in no instance.
    tests: [
      grows('host', [MiB, 5 * MiB]),
      grows('container', [50 * MiB, 200 * MiB]),
      grows('ebpf', [256, 1024]),
    ],
  },
];
