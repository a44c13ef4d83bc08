/** `dispatchbench load`: one load against any server, from this process. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import { judgementInWords, worst } from '../../contract/conditions.js';
import type { Latency, LoadResult, LoadStreamLine } from '../../contract/load.js';
import { codeOf } from '../../exit-codes.js';
import { judgeLoad, loadConditions } from '../../load/conditions.js';
import { type LoadObserver, runLoad } from '../../load/engine.js';
import { decodeHistogram } from '../../load/histogram.js';
import { loadOptionsOf, withLoadOptions } from '../../load/options.js';
import { counted } from '../../number.js';
import {
  duration,
  type HostPort,
  hostPort,
  percentiles,
  thresholdOptions,
  wholeNumber,
} from '../../options.js';
import { setAffinity } from '../../process.js';
import { withExamples } from '../examples.js';

const protocols = ['tcp-echo', 'http'] as const;
type Protocol = (typeof protocols)[number];
const isProtocol = (word: string): word is Protocol => (protocols as readonly string[]).includes(word);

interface Target {
  protocol: Protocol;
  target: HostPort;
  /** of a URL that has one */
  path?: string;
}

const schemes: Record<string, Protocol> = { 'http:': 'http', 'tcp:': 'tcp-echo', 'tcp-echo:': 'tcp-echo' };

/** @throws Error in one sentence */
function ofUrl(text: string): Target {
  const url = URL.canParse(text) ? new URL(text) : null;
  const protocol = url && schemes[url.protocol];
  if (!url || !protocol)
    throw new Error(
      `'${text}' cannot be loaded: write http://HOST:PORT/PATH, tcp://HOST:PORT for an echo server, or HOST:PORT (HTTP)`,
    );
  const port = url.port === '' && protocol === 'http' ? 80 : Number(url.port);
  if (port === 0) throw new Error(`'${text}' names no port: write tcp://HOST:PORT`);
  return {
    protocol,
    target: { host: url.hostname.replace(/^\[(.*)\]$/, '$1'), port },
    ...(protocol === 'http' ? { path: url.pathname + url.search } : {}),
  };
}

/**
 * What the words of the command line are about: a URL, HOST:PORT, or a protocol before either's address.
 * @throws Error in one sentence
 */
export function targetOf(first: string, second: string | undefined, option: HostPort | undefined): Target {
  const words = [first, second].filter((word) => word !== undefined);
  const protocol = words.find(isProtocol);
  const address = words.find((word) => !isProtocol(word));
  if (words.length === 2 && (protocol === undefined || address === undefined))
    throw new Error(
      `'${words.join(' ')}' is not one target: write http://HOST:PORT/PATH or tcp-echo HOST:PORT`,
    );
  if ((address === undefined) === (option === undefined))
    throw new Error(
      address === undefined
        ? `say which server to load: load ${protocol} HOST:PORT`
        : `'${address}' is no protocol (${protocols.join(', ')}), and as a server it is named twice, there and by --target: leave one of them out`,
    );
  if (option) return { protocol: protocol ?? 'http', target: option };
  if (address!.includes('://')) {
    const found = ofUrl(address!);
    if (protocol !== undefined && protocol !== found.protocol)
      throw new Error(`'${address}' is spoken to as ${found.protocol}: leave '${protocol}' out`);
    return found;
  }
  try {
    return { protocol: protocol ?? 'http', target: hostPort(address!) };
  } catch (error) {
    if (!(error instanceof InvalidArgumentError)) throw error;
    throw new Error(`${error.message.replace(/\.$/, '')}, nor a URL such as http://127.0.0.1:8080/`);
  }
}

const { threshold, old } = thresholdOptions(loadConditions, "'p99<5ms', 'errors<1%', 'rate>1000'");

export const load = withExamples(
  withLoadOptions(new Command('load'))
    .argument('<target>', 'http://HOST:PORT/PATH, tcp://HOST:PORT (an echo server), or HOST:PORT (HTTP)')
    .argument('[address]', 'HOST:PORT, where the first word is a protocol: tcp-echo or http')
    .option('--connections <n>', 'connections, all opened before the load', wholeNumber(1, 1_000_000), 10)
    .addOption(
      new Option('--duration <d>', 'measured window (10s, 500ms)')
        .argParser(duration)
        .default(duration('10s'), '10s'),
    )
    .addOption(new Option('--target <host:port>', 'the server').argParser(hostPort).hideHelp())
    .addOption(threshold)
    .addOption(old)
    .option('--percentiles <list>', 'of the latency to print, such as 50,99,99.99', percentiles)
    .option('--json', 'print the result as JSON')
    .option('--json-lines', 'print a JSON object a line while it goes on, and the result as the last one'),
  [
    ['load http://127.0.0.1:8080/ --connections 50 --duration 5s', 'closed loop: as fast as replies come'],
    [
      "load tcp-echo 127.0.0.1:9301 --rate 2000 --threshold 'p99<5ms,errors<1%'",
      'open loop: latency from when a request was due; exit code 2 where a condition does not hold',
    ],
  ],
).action(async (first, second, values) => {
  const found = targetOf(first, second, values.target);
  const options = {
    ...loadOptionsOf(found.protocol, {
      ...values,
      target: found.target,
      ...(values.rate === undefined ? { closed: true as const } : {}),
    }),
    ...(found.path === undefined ? {} : { path: found.path }),
  };
  if (values.cpu) setAffinity(values.cpu);
  const observer = values.jsonLines ? stream() : process.stderr.isTTY ? liveLine() : { line() {} };
  const result = await runLoad(options, observer);
  if (values.jsonLines) printLine(result);
  else console.log(values.json ? JSON.stringify(result, null, 2) : describeLoad(result, values.percentiles));
  if (result.replies === 0)
    throw new Error(
      `no request was answered in the window: does ${found.protocol} fit the server? (errors: ${errorsOf(result)})`,
    );
  const judged = judgeLoad(values.threshold ?? [], result);
  for (const one of judged)
    if (one.outcome !== 'passed') console.error(`dispatchbench: ${judgementInWords(one)}`);
  process.exitCode = codeOf[worst(judged.map(({ outcome }) => outcome))];
});

const printLine = (line: LoadStreamLine) => console.log(JSON.stringify(line));

/** Replies per second between looks. */
function rateOf(): (replies: number) => number {
  let last = { replies: 0, at: performance.now() };
  return (replies) => {
    const now = performance.now();
    const rate = (1000 * (replies - last.replies)) / (now - last.at);
    last = { replies, at: now };
    return rate;
  };
}

function stream(): LoadObserver {
  const rate = rateOf();
  return {
    line: printLine,
    progress: ({ replies, errors }) => printLine({ event: 'progress', replies, errors, rate: rate(replies) }),
  };
}

/** One line on a terminal that is written over while the load goes on. */
function liveLine(): LoadObserver {
  const rate = rateOf();
  let window = 'warming up';
  const show = (text: string) => process.stderr.write(`\r\x1b[K${text}`);
  return {
    line(line) {
      if (line.event === 'connected') show(`${counted(line.connections, 'connection')} ready`);
      if (line.event === 'window-start') window = 'measuring';
      if (line.event === 'window-end') show('');
    },
    progress({ replies, errors }) {
      show(
        `${window}: ${rate(replies).toFixed(0)} replies/s, ${replies} in all, ${counted(errors, 'error')}`,
      );
    },
  };
}

const microseconds = (ns: number) => (ns / 1000).toFixed(1);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;
const errorsOf = ({ errors }: LoadResult): string =>
  Object.entries(errors)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => `${count} ${kind}`)
    .join(', ') || 'none';

/** As a row has them where nobody chooses. */
const usual = [50, 90, 99, 99.9, 99.99];

/** Everything a reader needs to judge the figures, in two tables. */
export function describeLoad(result: LoadResult, chosen: readonly number[] = usual): string {
  const { client } = result;
  const facts = table();
  const arrival = result.mode === 'open' ? `open loop, ${result.arrival} gaps` : 'closed loop';
  const pipelining = result.pipelining > 1 ? `, ${result.pipelining} in flight on each` : '';
  facts.push(
    ['load', `${result.protocol}, ${arrival}, ${counted(result.connections, 'connection')}${pipelining}`],
    ['window', `${result.windowNs / 1e9} s after ${result.warmupNs / 1e9} s of warm-up`],
    ['replies', `${result.achievedRate.toFixed(1)} per second (${result.replies})`],
    ['requests', result.offeredRate === null ? `${result.requests}` : offered(result.offeredRate, result)],
    ['errors', errorsOf(result)],
    ['reconnects', `${result.reconnects}`],
    ['client', `busy ${percent(client.busyShare)} of one CPU, spinning ${percent(client.spinShare)}`],
  );
  const latencies = table(['us', 'values', 'mean', ...chosen.map((one) => `p${one}`), 'max']);
  const row = (name: string, { count, mean, max, histogram }: Latency) => {
    const all = decodeHistogram(histogram);
    const at = (percentile: number) => (count > 0 ? all.getValueAtPercentile(percentile) : 0);
    latencies.push([name, `${count}`, ...[mean, ...chosen.map(at), max].map(microseconds)]);
  };
  row(result.mode === 'open' ? 'latency from due time' : 'latency', result.latency);
  if (result.sendLag) {
    row('latency from sending', result.latencyUncorrected);
    row('send lag', result.sendLag);
  }
  row('connect', result.connect);
  const doubts = result.saturation.map((reason) => `\nThe client may be the limit: ${reason}.`);
  return `${facts}\n${latencies}${doubts.join('')}`;
}

function offered(rate: number, { requests, backlogged }: LoadResult): string {
  const waited = backlogged > 0 ? `; ${backlogged} waited for a free connection` : '';
  return `${rate.toFixed(1)} per second were due (${requests})${waited}`;
}

function table(head: string[] = []) {
  const plain = { head: [], border: [], compact: true };
  return new Table({ head, style: plain, colAligns: head.map((_, column) => (column ? 'right' : 'left')) });
}
