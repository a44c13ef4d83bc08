/**
 * What does a call into a Wasm module cost, and how much of it is the call? Seed of the question: the review of a paper on
 * isomorphic IoT systems (2023), whose calls cost some 221 µs over native ones, by a bridge of JSON through linear memory.
 *
 * Factors: runtime x row (how it is called) x work x bytes of its argument x amount of work. The work costs the same in each
 * row, so that what a row takes beside it is the call.
 */
import { z } from 'zod';
import { count } from '../contract/common.js';
import { callRow, callRows, type Work, work, works } from '../contract/device.js';
import type { ProfileName } from '../contract/run.js';
import { wholeNumber } from '../options.js';
import { metric } from '../trials/registry.js';
import { experiment } from './experiment.js';
import { list, names } from './flags.js';
import { gatewayFactors, gatewayLevels } from './gateways.js';
import { runtimeCommand, runtimeFlag, runtimesThat } from './runtimes.js';

const cell = z.object({ ...gatewayFactors, row: callRow, work, argument: count, amount: count.min(1) });
type CallsCell = z.infer<typeof cell>;

const settings = z.strictObject({
  runtimes: z.array(z.string()).min(1),
  rows: z.array(callRow).min(1),
  works: z.array(work).min(1),
  /** bytes, of the work that is about its argument */
  arguments: z.array(count).min(1),
  /** chained digests */
  amounts: z.array(count.min(1)).min(1),
  rounds: count.min(1),
  sliceUs: count.min(1),
});
type CallsSettings = z.infer<typeof settings>;

/** Bytes that a work is given where the argument is not what varies: a text, a block, an image of 28 by 28. */
const usual: Record<Work, number> = { nothing: 0, hello: 16, sha256: 64, network: 784 };

const profile = (name: ProfileName): CallsSettings => ({
  runtimes: runtimesThat('calls').map((one) => one.name),
  rows: [...callRows],
  works: ['hello', 'sha256', 'network'],
  arguments: name === 'full' ? [16, 256, 1024, 4096, 16_384, 65_536] : [16, 1024, 65_536],
  amounts: name === 'full' ? [1, 10, 100, 1000, 20_000] : [1, 1000, 20_000],
  rounds: name === 'full' ? 40 : 12,
  sliceUs: name === 'full' ? 10_000 : 3000,
});

/** Sizes of a work: hello is about its argument, the digest about how often; the network is what it is. */
function sizes(
  one: Work,
  { arguments: bytes, amounts }: CallsSettings,
): { argument: number; amount: number }[] {
  if (one === 'hello') return bytes.map((argument) => ({ argument, amount: 1 }));
  if (one === 'sha256') return amounts.map((amount) => ({ argument: usual.sha256, amount }));
  return [{ argument: usual[one], amount: 1 }];
}

/** Native code is called by the program that has it. */
const exists = (runtime: string, row: string) => row !== 'native-json' || runtime === 'host';

export const wasmCalls = experiment({
  id: 'wasm-calls',
  question: 'What does a call into a Wasm module cost, and how much of it is the call?',
  axis: '',
  cell,
  settings,
  profiles: ['quick', 'full'],
  factors: {
    row: { name: 'called', level: (level) => `${level}` },
    work: { name: 'work', level: (level) => `${level}` },
    argument: { name: 'bytes of argument' },
    amount: { name: 'times the work' },
  },
  words: [],
  quick: false,
  flags: [
    runtimeFlag('calls'),
    {
      flags: '--rows <list>',
      description: `ways to call: ${callRows.join(', ')}`,
      setting: 'rows',
      parse: names(callRows, 'way to call'),
    },
    {
      flags: '--works <list>',
      description: `what is called: ${works.join(', ')}`,
      setting: 'works',
      parse: names(works, 'work'),
    },
    {
      flags: '--arguments <list>',
      description: 'bytes that hello is given, comma-separated',
      setting: 'arguments',
      parse: list(wholeNumber(0, 1 << 24)),
    },
    {
      flags: '--amounts <list>',
      description: 'digests that sha256 chains, comma-separated',
      setting: 'amounts',
      parse: list(wholeNumber(1, 10_000_000)),
    },
  ],
  profile,
  pace: (name) => (name === 'quick' ? { blocks: { min: 3, max: 5 }, budgetMs: 150_000 } : {}),
  cells: (chosen): CallsCell[] =>
    chosen.runtimes.flatMap((runtime) =>
      chosen.works.flatMap((one) =>
        sizes(one, chosen).flatMap((size) =>
          chosen.rows
            .filter((row) => exists(runtime, row))
            .map((row) => ({ ...gatewayLevels(runtime), row, work: one, ...size })),
        ),
      ),
    ),
  trial({ impl, row, work: one, argument, amount }, { rounds, sliceUs }, machine) {
    const { module: _, ...command } = runtimeCommand(impl, 'calls', machine);
    return { kind: 'calls', ...command, row, work: one, argument, amount, rounds, sliceUs };
  },
  primary: ['call-time'],
  glance(sample) {
    const [time, share] = [metric('call-time').of(sample), metric('call-share').of(sample)];
    return time === null || share === null
      ? ''
      : `${time.toPrecision(3)} µs a call, ${share.toFixed(1)} % of it beside the work`;
  },
  plots: [
    {
      kind: 'servers',
      metrics: ['call-cost'],
      levels: { work: 'hello' },
      title: 'What a call costs by its argument',
      logY: true,
    },
    {
      kind: 'servers',
      metrics: ['call-cost'],
      levels: { work: 'sha256' },
      title: 'What a call costs by its work',
      logY: true,
    },
    {
      kind: 'servers',
      metrics: ['call-time', 'call-cost', 'call-share'],
      levels: { work: 'network' },
      title: 'A call of a small convolutional network',
      logY: true,
    },
    { kind: 'servers', metrics: ['call-share'], title: "The call's share of its time", logY: false },
  ],
  compared: [{ metric: 'call-time', scale: 'ratio' }],
  answers: [],
  modelled: [],
  closing: {
    rates: [],
    costs: ['call-time', 'call-cost', 'call-share', 'call-over-native', 'native-time', 'module-slowdown'],
  },
});
