/**
 * Does the same module do the same wherever it runs? Seed of the question: the same review, whose binary runs unchanged on
 * device, edge and cloud. Factor: runtime, on every host of the run. All get the same requests.
 */
import { z } from 'zod';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { gatewayFactors, gatewayLevels } from './gateways.js';
import { runtimeCommand, runtimeFlag, runtimesThat } from './runtimes.js';

const cell = z.object(gatewayFactors);

const settings = z.strictObject({ runtimes: z.array(z.string()).min(1) });

/** Each work once; strings that JSON has to escape, and more inferences than one. */
const requests = [
  { work: 'hello', argument: 'wörld "quoted" \\ \t€' },
  { work: 'sha256', argument: 'abc', amount: 1000 },
  { work: 'network', argument: 'an image of 28 by 28', amount: 3 },
];
const input = requests.map((one) => `${JSON.stringify(one)}\n`).join('');

export const wasmEverywhere = experiment({
  id: 'wasm-everywhere',
  question: 'Does the same Wasm module do the same on every engine and host?',
  axis: '',
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: {},
  words: [],
  quick: false,
  flags: [runtimeFlag('once')],
  profile: () => ({ runtimes: runtimesThat('once').map(({ name }) => name) }),
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 3 }, budgetMs: 120_000 } : {}),
  cells: ({ runtimes }) => runtimes.map(gatewayLevels),
  trial: ({ impl }, _settings, machine) => ({
    kind: 'output',
    ...runtimeCommand(impl, 'once', machine),
    input,
  }),
  primary: ['module-run'],
  glance(sample) {
    const [written, time] = [metric('output-fingerprint').of(sample), metric('module-run').of(sample)];
    return written === null || time === null
      ? ''
      : `wrote ${written.toString(16).padStart(12, '0')} in ${time.toFixed(0)} ms`;
  },
  plots: [{ kind: 'servers', metrics: ['module-run'], logY: true }],
  compared: [{ metric: 'output-fingerprint', scale: 'difference' }],
  answers: [],
  modelled: [],
  closing: { rates: [], costs: ['module-fingerprint', 'output-fingerprint', 'module-run'] },
});
