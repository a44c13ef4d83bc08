import { Command, Option } from '@commander-js/extra-typings';
import type { BackendName } from '../../contract/common.js';
import { LocalHost } from '../../hosts/local.js';
import { measureRepetition } from '../../knee/measure.js';
import { parseObjective, type Term } from '../../knee/objective.js';
import { findKnee, type Knee, type Probe } from '../../knee/search.js';
import { cpuList, duration, hostPort, positiveNumber, wholeNumber } from '../../options.js';
import { pinning } from '../../run/pinning.js';

const DEFAULT_OBJECTIVE = 'p99<5ms,loss=0,achieved>=0.99';

export const knee = new Command('knee')
  .summary('find the highest rate a server sustains under an objective')
  .description(
    'Maximum sustainable rate of a server under an objective, by probabilistic bisection on repeated open-loop probes: an interval, the term that gave way, and a fresh look at 0.95 and 1.05 of it.',
  )
  .option('--target <host:port>', 'a server that runs already', hostPort)
  .option('--backend <name>', 'or one of ours, started anew for every repetition')
  .addOption(
    new Option('--impl <impl>', 'who runs its protocol')
      .choices(['ts', 'native', 'libuv', 'baseline'] as const)
      .default('native' as const),
  )
  .addOption(
    new Option('--protocol <protocol>', 'what to speak')
      .choices(['tcp-echo', 'http'] as const)
      .default('http' as const),
  )
  .option('--slo <terms>', 'what has to hold', DEFAULT_OBJECTIVE)
  .option('--low <rate>', 'lowest rate of interest, requests per second', positiveNumber, 100)
  .option('--high <rate>', 'highest', positiveNumber, 1_000_000)
  .option('--connections <n>', 'connections that share the load', wholeNumber(1, 1_000_000), 100)
  .option('--duration <d>', 'window of one repetition', duration, 2e9)
  .option('--warmup <d>', 'before it', duration, 500e6)
  .option('--timeout <d>', 'a request without reply so long is lost', duration, 2e9)
  .option('--path <path>', 'http: what to get', '/')
  .option('--repetitions <n>', 'of every probe, each with a fresh client', wholeNumber(3, 100), 3)
  .option('--tolerance <share>', 'stop when the interval is this narrow', positiveNumber, 0.05)
  .option('--max-probes <n>', 'and in any case after so many', wholeNumber(1, 1000), 40)
  .option('--confidence <share>', 'of the interval', positiveNumber, 0.95)
  .option('--cpu <list>', 'CPUs of the client', cpuList)
  .option('--json', 'the whole search as one JSON object')
  .action(async (options) => {
    const objective = parseObjective(options.slo);
    if (options.low >= options.high)
      throw new Error(`--low ${options.low} is not below --high ${options.high}`);
    if (options.confidence >= 1) throw new Error('--confidence must be below 1, e.g. 0.95');
    if ((options.target === undefined) === (options.backend === undefined))
      throw new Error('say what to load: either --target HOST:PORT, or --backend NAME for a server of ours');
    const pins = pinning(new LocalHost().cpus());
    const server = {
      protocol: options.protocol,
      impl: options.impl,
      // An unknown name goes on to the server, which says what this system has.
      backend: options.backend as BackendName,
      cpus: pins.server,
    };
    const found = await findKnee({
      objective,
      low: options.low,
      high: options.high,
      repetitions: options.repetitions,
      tolerance: options.tolerance,
      maxProbes: options.maxProbes,
      confidence: options.confidence,
      measure: (rate) =>
        measureRepetition(
          {
            protocol: options.protocol,
            target: options.target ?? server,
            connections: options.connections,
            durationS: options.duration / 1e9,
            warmupS: options.warmup / 1e9,
            timeoutS: options.timeout / 1e9,
            path: options.path,
            cpus: options.cpu ?? (options.target ? [] : pins.client),
          },
          rate,
        ),
      progress: (probe) => console.error(probeLine(objective, probe)),
    });
    console.log(options.json ? JSON.stringify(found) : kneeText(found));
    if (found.verdict === 'client') process.exitCode = 1;
  });

function probeLine(objective: readonly Term[], { rate, repetitions, held, failed }: Probe): string {
  const saturated = repetitions.length - held - failed;
  const values = objective.map(({ field }) => {
    const seen = repetitions.map(({ measured }) => measured[field]).sort((a, b) => a - b);
    return `${field} ${figure(field, seen[seen.length >> 1]!)}`;
  });
  return (
    `${figure('rate', rate)}/s: held in ${held} of ${held + failed} (median ${values.join(', ')})` +
    (saturated > 0 ? `; in ${saturated} the client was the limit: ${reasons(repetitions)}` : '')
  );
}

const reasons = (repetitions: Probe['repetitions']): string =>
  repetitions.find(({ saturation }) => saturation.length > 0)!.saturation.join(', ');

function figure(field: string, value: number): string {
  if (field === 'rate') return value.toFixed(0);
  if (['loss', 'errors', 'achieved'].includes(field)) return value.toFixed(4);
  return Number.isFinite(value) ? `${(value / 1e6).toFixed(2)} ms` : 'none';
}

function kneeText({ verdict, interval, limiting, confirmation, probes }: Knee): string {
  const range = interval
    ? `${(100 * interval.confidence).toFixed(0)} % interval [${interval.low.toFixed(0)}, ${interval.high.toFixed(0)}]/s`
    : '';
  const gaveWay = limiting.map(({ term, share }) => `${term} (in ${(100 * share).toFixed(0)} % of failures)`);
  const text = {
    found: `maximum sustainable rate ${interval?.median.toFixed(0)}/s, ${range}`,
    wide: `maximum sustainable rate not narrowed down within ${probes.length} probes: ${range}`,
    above: 'the objective held at the highest rate: the knee lies above it (--high)',
    below: 'the objective did not hold at the lowest rate: the knee lies below it (--low)',
    client: `not resolved: at ${figure('rate', probes.at(-1)!.rate)}/s the client was the limit, or was disturbed${range ? `; so far ${range}` : ''}`,
  }[verdict];
  const both =
    confirmation &&
    `at 0.95x it held in ${confirmation.below.held} of ${confirmation.below.repetitions.length}, ` +
      `at 1.05x in ${confirmation.above.held} of ${confirmation.above.repetitions.length}: ` +
      (confirmation.confirmed ? 'confirmed' : 'not confirmed');
  return [text, gaveWay.length > 0 ? `what gave way: ${gaveWay.join(', ')}` : '', both ?? '']
    .filter(Boolean)
    .join('\n');
}
