/** The command line of dgram-benchmark: autocannon's letters where they carry over. */
import { readFileSync } from 'node:fs';
import { Command, Option } from '@commander-js/extra-typings';
import { type Condition, judgementInWords, opposite, worst } from '../contract/conditions.js';
import type { DgramResult, DgramStreamLine } from '../contract/dgram.js';
import { codeOf } from '../exit-codes.js';
import { packageVersion } from '../installation.js';
import { duration, percentiles, positiveNumber, thresholdOptions, wholeNumber } from '../options.js';
import { DgramBenchmark } from './benchmark.js';
import { dgramConditions, judgeDatagrams, oldName } from './conditions.js';
import { startOnPort } from './on-port.js';
import { type DgramInput, parseTarget } from './options.js';
import { intervalsIn } from './result.js';
import { track } from './track.js';

const counts = wholeNumber(1, Number.MAX_SAFE_INTEGER);

/** autocannon takes plain seconds, and 'timestrings' as well. */
const seconds = (text: string): number =>
  /^\d+(\.\d+)?$/.test(text) ? positiveNumber(text) : duration(text) / 1e9;

const { threshold, old } = thresholdOptions(dgramConditions, "'p99<5ms', 'loss<0.1%', 'rate>1000'", (text) =>
  oldName(opposite(text)),
);

/** As help, the manual and the reference show them. */
export const dgramExamples: readonly (readonly [line: string, about: string])[] = [
  ['127.0.0.1:9000', 'closed loop: ten sockets, each with one unanswered datagram'],
  ["-R 10000 --threshold 'p99<5ms,loss<0.1%' 127.0.0.1:9000-9099", 'open loop over 100 ports, as a check'],
];

/** As help, the manual and the reference have it. */
export function dgramCommand() {
  return new Command('dgram-benchmark')
    .description('Measures a UDP server: latency from intended send times, and a ledger of every datagram.')
    .argument('<target>', 'HOST:PORT or HOST:FIRST-LAST')
    .option('-c, --connections <n>', 'client sockets', counts, 10)
    .option(
      '-p, --pipelining <n>',
      'closed loop: unanswered datagrams per socket, at most what its buffer holds',
      counts,
      1,
    )
    .option('-d, --duration <s>', 'seconds to send, or 500ms, 1m', seconds, 10)
    .option('-a, --amount <n>', 'datagrams to send, instead of a duration', counts)
    .option('-w, --workers <n>', 'threads; they share the sockets and the rate', counts, 1)
    .option('-W, --warmup <args...>', 'load before the measurement: [ -c 1 -d 3 ]')
    .option('-r, --connection-rate <n>', 'datagrams per second and socket: open loop', positiveNumber)
    .option('-R, --overall-rate <n>', 'datagrams per second over all: open loop', positiveNumber)
    .addOption(new Option('--open-loop', 'insist on an open loop').conflicts('closed'))
    .option('--closed', 'insist on a closed loop')
    .addOption(
      new Option('--arrival <kind>', 'gaps of the open loop')
        .choices(['fixed', 'exponential'] as const)
        .default('fixed' as const),
    )
    .option('-t, --timeout <s>', 'a reply later than this is late; also how long the drain waits', seconds, 1)
    .option('-L, --sample-int <ms>', 'length of one sample', counts, 1000)
    .option('--ports <n>', 'consecutive ports from PORT on', wholeNumber(1, 65_535))
    .addOption(
      new Option('--port-order <order>', 'which port is next')
        .choices(['random', 'round-robin', 'zipf'] as const)
        .default('round-robin' as const),
    )
    .option(
      '--size <bytes>',
      'datagram, header included (default: 64, or as the body needs)',
      wholeNumber(0, 65_507),
    )
    .option('-b, --body <text>', 'what follows the header')
    .option('-i, --input <file>', 'the body, from a file')
    .option('-E, --expect-body <text>', 'the reply must equal this: for servers that do not echo')
    .option('-B, --bailout <n>', 'stop after so many wrong or refused ones', counts)
    .option('-x, --exclude-error-stats', 'leave late replies out of the latencies')
    .option('--receive-buffer <bytes>', 'SO_RCVBUF of the client', wholeNumber(0, 1 << 30))
    .option('--send-buffer <bytes>', 'SO_SNDBUF of the client', wholeNumber(0, 1 << 30))
    .option('--seed <n>', 'of port order and gaps', wholeNumber(0, 0xffff_ffff))
    .addOption(
      new Option('--engine <name>', 'js works without the addon')
        .choices(['native', 'js'] as const)
        .default('native' as const),
    )
    .option('--per-port', "put every port's figures into the result")
    .option('-T, --title <text>', 'name of the run in the result')
    .option('-l, --latency', 'print every percentile')
    .option('-n, --no-progress', 'no progress bar')
    .option('-j, --json', 'one JSON object on stdout, tables on stderr')
    .option('--json-lines', 'a JSON object a line while it goes on: start, tick, result')
    .option('--percentiles <list>', 'print these of the latency, such as 50,99,99.99', percentiles)
    .addOption(threshold)
    .addOption(old)
    .option('--on-port', 'start the command after -- and measure the port it listens on')
    .addHelpText(
      'after',
      `\nExamples:\n${dgramExamples.map(([line, about]) => `  # ${about}\n  dgram-benchmark ${line}`).join('\n')}`,
    )
    .version(packageVersion())
    .showHelpAfterError("(try 'dgram-benchmark --help')")
    .configureOutput({ outputError: (text, write) => write(text.replace(/^error: /, 'dgram-benchmark: ')) });
}

/** autocannon's subarguments: -W [ -c 1 -d 3 ]. */
function splitWarmup(argv: readonly string[]): { rest: string[]; warmup: DgramInput['warmup'] } {
  const at = argv.findIndex(
    (word, index) => (word === '-W' || word === '--warmup') && argv[index + 1] === '[',
  );
  if (at < 0) return { rest: [...argv], warmup: undefined };
  const end = argv.indexOf(']', at);
  if (end < 0) throw new Error('the warm-up ends nowhere: write -W [ -c 1 -d 3 ]');
  const given = new Command()
    .exitOverride()
    .configureOutput({ writeErr: () => {} })
    .option('-c, --connections <n>', '', counts)
    .option('-d, --duration <s>', '', seconds);
  try {
    given.parse(argv.slice(at + 2, end), { from: 'user' });
  } catch (error) {
    throw new Error(`warm-up: ${(error as Error).message.replace(/^error: /, '')}`);
  }
  return { rest: [...argv.slice(0, at), ...argv.slice(end + 1)], warmup: given.opts() };
}

export interface Arguments {
  input: DgramInput;
  json: boolean;
  jsonLines: boolean;
  latency: boolean;
  /** of the latency, to be printed */
  percentiles: number[];
  progress: boolean;
  thresholds: Condition[];
  /** the server's command after --, empty when there is none */
  server: string[];
}

/** @param argv without node and script. @throws Error in one sentence; --help ends the process */
export function parseArguments(argv: readonly string[]): Arguments {
  const dashes = argv.indexOf('--');
  const server = dashes < 0 ? [] : argv.slice(dashes + 1);
  const { rest, warmup } = splitWarmup(dashes < 0 ? argv : argv.slice(0, dashes));
  const parsed = dgramCommand().parse(rest, { from: 'user' });
  const {
    json = false,
    jsonLines = false,
    latency = false,
    percentiles: wanted = [],
    progress,
    threshold: thresholds = [],
    onPort = false,
    openLoop = false,
    closed = false,
    input: bodyFile,
    warmup: bare,
    ...options
  } = parsed.opts();
  if (bare) throw new Error('a warm-up needs its brackets: -W [ -c 1 -d 3 ]');
  if (onPort && server.length === 0) throw new Error('--on-port needs a command after --: -- node server.js');
  const input: DgramInput = { ...options, url: parsed.args[0]! };
  if (bodyFile !== undefined) input.body = readFileSync(bodyFile);
  if (openLoop) input.loop = 'open';
  if (closed) input.loop = 'closed';
  if (warmup) input.warmup = warmup;
  return { input, json, jsonLines, latency, percentiles: wanted, progress, thresholds, server };
}

/** A line for each event while the benchmark goes on; the contract is dgramStream. */
function stream(benchmark: DgramBenchmark): void {
  const line = (fields: DgramStreamLine) => process.stdout.write(`${JSON.stringify(fields)}\n`);
  const { url, connections, ports, rate } = benchmark.opts;
  benchmark
    .on('start', () => line({ event: 'start', url, connections, ports, rate: rate > 0 ? rate : null }))
    .on('tick', ({ interval }) => line({ event: 'tick', ...intervalsIn(1e6, [interval])[0]! }))
    .on('done', (result) => line({ event: 'result', ...result }));
}

async function measure(given: Arguments): Promise<DgramResult> {
  const { input, json, jsonLines, latency, percentiles, progress } = given;
  const benchmark = new DgramBenchmark(input);
  const interrupt = () => benchmark.stop();
  process.once('SIGINT', interrupt);
  if (jsonLines) stream(benchmark);
  track(benchmark, { renderProgressBar: progress, renderLatencyTable: latency, percentiles });
  try {
    const result = await benchmark;
    if (json) process.stdout.write(`${JSON.stringify(result)}\n`);
    return result;
  } finally {
    process.off('SIGINT', interrupt);
  }
}

/** The whole program. @returns the exit code */
export async function start(argv: readonly string[]): Promise<number> {
  const given = parseArguments(argv);
  const { input, server, thresholds } = given;
  let stop = () => {};
  if (server.length > 0) {
    const { port, ports, host } = parseTarget(input.url);
    const started = await startOnPort(server, port);
    stop = () => started.child.kill();
    process.once('exit', stop);
    input.url = `${host.includes(':') ? `[${host}]` : host}:${started.port}`;
    input.ports ??= ports;
  }
  try {
    const judged = judgeDatagrams(thresholds, await measure(given));
    for (const one of judged)
      if (one.outcome !== 'passed') process.stderr.write(`dgram-benchmark: ${judgementInWords(one)}\n`);
    return codeOf[worst(judged.map(({ outcome }) => outcome))];
  } finally {
    stop();
  }
}
