import { Command, Option } from '@commander-js/extra-typings';
import type { BackendName } from '../../contract/common.js';
import type { DispatchSubject } from '../../contract/subject.js';
import { exitCode } from '../../exit-codes.js';
import { excuse, watchMachine } from '../../hosts/witness.js';
import type { Confirmation } from '../../knee/confirmation.js';
import { measureRepetition, type ProbeLoad } from '../../knee/measure.js';
import { parseObjective, type Term } from '../../knee/objective.js';
import { clientGaveOut, countedIn, type Probe } from '../../knee/probe.js';
import { findKnee, type Knee } from '../../knee/search.js';
import { cpuList, durationOption, hostPort, positiveNumber, wholeNumber } from '../../options.js';
import { withExamples } from '../examples.js';
import { hostOption, linked, linkOption, onHost } from '../on-host.js';

const DEFAULT_OBJECTIVE = 'p99<5ms,loss=0,achieved>=0.99';

/** Its old name is taken as well: both are one objective. */
const objectiveOptions = ['--threshold <conditions>', '--slo <conditions>'].map((flags, at) => {
  const option = new Option(flags, 'what has to hold').default(DEFAULT_OBJECTIVE);
  option.attributeName = () => 'objective';
  return option.hideHelp(at > 0);
}) as unknown as [Option<'--objective <conditions>', undefined, string>, Option];

export const knee = withExamples(
  new Command('knee')
    .description(
      'Maximum sustainable rate of a server under an objective (for datagrams: the highest loss-free rate), by probabilistic bisection on repeated open-loop probes: an interval, the term that gave way, and a fresh look at 0.95 and 1.05 of it.',
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
        .choices(['tcp-echo', 'http', 'udp-echo'] as const)
        .default('http' as const),
    )
    .addOption(objectiveOptions[0])
    .addOption(objectiveOptions[1])
    .option('--low <rate>', 'lowest rate of interest, requests per second', positiveNumber, 100)
    .option('--high <rate>', 'highest', positiveNumber, 1_000_000)
    .option(
      '--connections <n>',
      'connections that share the load (default: 100; udp-echo: 1, a socket that sends to all ports)',
      wholeNumber(1, 1_000_000),
    )
    .option('--ports <n>', 'udp-echo: consecutive ports, asked in turn (default: 1)', wholeNumber(1, 65_535))
    .addOption(durationOption('--duration <d>', 'window of one repetition', '2s'))
    .addOption(durationOption('--warmup <d>', 'before it', '500ms'))
    .addOption(durationOption('--timeout <d>', 'a request without reply so long is lost', '2s'))
    .option('--path <path>', 'http: what to get', '/')
    .option('--repetitions <n>', 'of every probe, each with a fresh client', wholeNumber(3, 100), 3)
    .option('--tolerance <share>', 'stop when the interval is this narrow', positiveNumber, 0.05)
    .option('--max-probes <n>', 'and in any case after so many', wholeNumber(3, 1000), 40)
    .option('--confidence <share>', 'of the interval', positiveNumber, 0.95)
    .option('--cpu <list>', 'CPUs of the client', cpuList)
    .addOption(hostOption())
    .addOption(linkOption())
    .option('--json', 'the whole search as one JSON object'),
  [
    [
      "knee --target 127.0.0.1:8081 --threshold 'p99<5ms,loss=0,achieved>=0.99'",
      'of a server that runs already',
    ],
    [
      'knee --backend epoll --protocol udp-echo --ports 100 --threshold loss=0',
      'of a server of ours, started anew for every repetition; exit code 3 where the client was the limit',
    ],
  ],
).action(async (options) => {
  const objective = parseObjective(options.objective);
  if (options.low >= options.high)
    throw new Error(`--low ${options.low} is not below --high ${options.high}`);
  if (options.confidence >= 1) throw new Error('--confidence must be below 1, e.g. 0.95');
  if ((options.target === undefined) === (options.backend === undefined))
    throw new Error('say what to load: either --target HOST:PORT, or --backend NAME for a server of ours');
  const datagrams = options.protocol === 'udp-echo';
  if (options.ports !== undefined && !datagrams) throw new Error('--ports is for --protocol udp-echo only');
  const ports = datagrams ? { ports: options.ports ?? 1 } : {};
  const server: DispatchSubject = {
    kind: 'dispatch',
    protocol: options.protocol,
    impl: options.impl,
    // An unknown name goes on to the server, which says what its host has.
    backend: options.backend as BackendName,
    io: options.impl === 'ts' ? 'batch' : null,
    ...ports,
  };
  const load: ProbeLoad = {
    protocol: options.protocol,
    target: options.target ?? server,
    ...ports,
    connections: options.connections ?? (datagrams ? 1 : 100),
    durationS: options.duration / 1e9,
    warmupS: options.warmup / 1e9,
    timeoutS: options.timeout / 1e9,
    path: options.path,
    cpus: options.cpu ?? null,
  };
  const { low, high, repetitions, tolerance, maxProbes, confidence } = options;
  await onHost(linked(options.host, options.link), async (site) => {
    const seen = watchMachine();
    const found = await findKnee({
      ...{ objective, low, high, repetitions, tolerance, maxProbes, confidence },
      measure: (rate) => measureRepetition(load, rate, site),
      progress: (probe) => console.error(probeLine(objective, probe)),
    });
    console.log(options.json ? JSON.stringify(found) : kneeText(found));
    // A server that was there before is somebody else's work, too.
    const disturbance = options.backend === undefined ? null : seen();
    const busy = disturbance && excuse(disturbance);
    if (busy) console.error(`not to be trusted: ${busy}`);
    if (found.verdict === 'client') process.exitCode = exitCode.undecided;
  });
});

function probeLine(objective: readonly Term[], probe: Probe): string {
  const { rate, repetitions, held, failed } = probe;
  const counted = countedIn(objective, probe);
  const spoilt = repetitions.length - counted.length;
  const limit = `in ${spoilt} of ${repetitions.length} the client was the limit: ${reasons(repetitions)}`;
  if (clientGaveOut(probe)) return `${figure('rate', rate)}/s: no answer, ${limit}`;
  const values = objective.map(({ field }) => {
    const seen = counted.map(({ measured }) => measured[field]).sort((a, b) => a - b);
    return `${field} ${figure(field, seen[seen.length >> 1]!)}`;
  });
  return (
    `${figure('rate', rate)}/s: held in ${held} of ${held + failed} (median ${values.join(', ')})` +
    (spoilt > 0 ? `; ${limit}` : '')
  );
}

const reasons = (repetitions: Probe['repetitions']): string =>
  repetitions.find(({ saturation }) => saturation.length > 0)?.saturation.join(', ') ?? '';

function figure(field: string, value: number): string {
  if (field === 'rate') return value.toFixed(0);
  if (['loss', 'errors', 'achieved'].includes(field)) return value.toFixed(4);
  return Number.isFinite(value) ? `${(value / 1e6).toFixed(2)} ms` : 'none';
}

function kneeText({ verdict, interval, limiting, confirmation, held, probes }: Knee): string {
  const range = interval
    ? `${(100 * interval.confidence).toFixed(0)} % interval [${interval.low.toFixed(0)}, ${interval.high.toFixed(0)}]/s`
    : '';
  const gaveWay = limiting.map(({ term, share }) => `${term} (in ${(100 * share).toFixed(0)} % of failures)`);
  const knee = `maximum sustainable rate ${interval?.median.toFixed(0)}/s, ${range}`;
  const last = probes.at(-1)!;
  const text = {
    found: knee,
    wide: `${knee}, wider than --tolerance after ${probes.length} probes`,
    above: `the objective held up to ${figure('rate', held ?? 0)}/s: the knee lies above that (--high, --max-probes)`,
    below: 'the objective did not hold at the lowest rate: the knee lies below it (--low)',
    client:
      `not resolved: at ${figure('rate', last.rate)}/s the client was the limit, or was disturbed (${reasons(last.repetitions)}); ` +
      (held === null
        ? 'no lower rate held'
        : `the objective held at ${figure('rate', held)}/s: the knee lies above that`),
  }[verdict];
  const fresh = confirmation && confirmationText(confirmation);
  return [text, gaveWay.length > 0 ? `what gave way: ${gaveWay.join(', ')}` : '', fresh ?? '']
    .filter(Boolean)
    .join('\n');
}

function confirmationText({ outcome, below, above, transition }: Confirmation): string {
  const side = ({ rate, held, failed }: Confirmation['below']) =>
    `at ${figure('rate', rate)}/s it held in ${held} of ${held + failed}`;
  const why = {
    confirmed: 'confirmed',
    gradual: `not confirmed: the objective gives way gradually, over a factor of ${transition.toFixed(2)} in rate`,
    lower: 'not confirmed: the knee now seems to lie lower; the server or the machine changes',
    higher: 'not confirmed: the knee now seems to lie higher; the server or the machine changes',
    reversed: 'not confirmed: the two sides contradict each other; the server or the machine changes',
    client: 'not confirmed: the client was the limit there, or was disturbed',
  }[outcome];
  return `a fresh look: ${side(below)}, ${side(above)}: ${why}`;
}
