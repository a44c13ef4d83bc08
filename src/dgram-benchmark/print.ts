/** The tables at the end, as autocannon prints them, and the ledger that only datagrams have. Pure. */
import { Ansis } from 'ansis';
import Table from 'cli-table3';
import { type DgramResult, percentileKeys, percentileOf, type Spread } from '../contract/dgram.js';
import { decodeHistogram } from '../load/histogram.js';

export interface PrintOptions {
  renderResultsTable?: boolean;
  /** every percentile of the latency as well (-l) */
  renderLatencyTable?: boolean;
  /** these percentiles of the latency as well */
  percentiles?: readonly number[];
  color?: boolean;
}

const si = (value: number): string => {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${(value / size).toFixed(value >= 100 * size ? 0 : 1)}${unit}`;
  }
  return value % 1 === 0 ? `${value}` : value.toFixed(1);
};

/** Milliseconds with the digits that a microsecond needs. */
const ms = (value: number): string => `${value >= 100 ? value.toFixed(1) : value.toFixed(3)} ms`;
const share = (value: number): string => `${(100 * value).toFixed(value > 0 && value < 0.001 ? 4 : 2)} %`;

function table(rows: string[][], ink: Ansis): string {
  const [head, ...body] = rows;
  const made = new Table({
    head: head!.map((cell) => ink.cyan(cell)),
    style: { head: [], border: [] },
    chars: { mid: '', 'left-mid': '', 'mid-mid': '', 'right-mid': '' },
    colAligns: head!.map((_, column) => (column === 0 ? 'left' : 'right')),
  });
  made.push(...body);
  return made.toString();
}

const latencyRow = (name: string, spread: Spread) => [
  name,
  ...[
    spread.p2_5,
    spread.p50,
    spread.p95,
    spread.p97_5,
    spread.p99,
    spread.average,
    spread.stddev,
    spread.max,
  ].map(ms),
];
const rateRow = (name: string, spread: Spread) => [
  name,
  ...[spread.p1, spread.p2_5, spread.p50, spread.p97_5, spread.average, spread.stddev, spread.min].map(si),
];

function ledger(result: DgramResult): string[] {
  const { loss } = result;
  const some = (entries: [string, number][]) =>
    entries.filter(([, count]) => count > 0).map(([name, count]) => `${count} ${name}`);
  const received = some([
    ['late', result.late],
    ['reordered', result.reordered],
  ]);
  const causes = some([
    ["dropped at the client's sockets", loss.clientSocket],
    ["dropped at the server's sockets", loss.serverSocket],
    ['never read by the server', loss.serverUnread],
    ['sent to a closed port', loss.unreachable],
    ['answered with a bad reply', loss.badReply],
    ['unexplained', loss.unexplained],
  ]);
  const beside = some([
    ['duplicates', result.duplicates],
    ['corrupted replies', result.corrupted],
    ['truncated replies', result.truncated],
    ['replies too old to tell', result.unattributable],
    ['from other ports', result.foreign],
    ['ICMP errors', result.unreachable],
    ['send errors', result.sendErrors],
  ]);
  const list = (items: string[]) => (items.length > 0 ? ` (${items.join(', ')})` : '');
  return [
    `sent ${result.sent} = received ${result.received}${list(received)} + lost ${result.lost}${list(causes)}`,
    `loss ${share(result.lossRate)}${beside.length > 0 ? `; beside these ${beside.join(', ')}` : ''}`,
  ];
}

/** @returns the text, ready to be written */
export function printResult(result: DgramResult, options: PrintOptions = {}): string {
  const { renderResultsTable = true, renderLatencyTable = false, percentiles = [], color = false } = options;
  const ink = new Ansis(color ? 3 : 0);
  const lines: string[] = [];
  if (renderResultsTable) {
    lines.push(
      table(
        [
          ['Stat', '2.5%', '50%', '95%', '97.5%', '99%', 'Avg', 'Stdev', 'Max'],
          latencyRow('Latency', result.latency),
          ...(result.mode === 'open' ? [latencyRow('From actual send', result.latencyUncorrected)] : []),
        ],
        ink,
      ),
      table(
        [
          ['Stat', '1%', '2.5%', '50%', '97.5%', 'Avg', 'Stdev', 'Min'],
          rateRow('Replies/Sec', result.requests),
          rateRow('Bytes/Sec', result.throughput),
        ],
        ink,
      ),
      `Replies/Bytes counts sampled every ${result.sampleInt / 1000} s, # of samples: ${result.samples}`,
      '',
    );
  }
  if (renderLatencyTable) {
    lines.push(
      table(
        [
          ['Percentile', 'Latency'],
          ...percentileKeys.map((key) => [`${percentileOf(key)}`, ms(result.latency[key])]),
        ],
        ink,
      ),
      '',
    );
  }
  if (percentiles.length > 0) {
    const histogram = decodeHistogram(result.histograms.latency);
    const at = (percent: number) =>
      result.received > 0 ? ms(histogram.getValueAtPercentile(percent) / 1e6) : '–';
    lines.push(table([['Percentile', 'Latency'], ...percentiles.map((one) => [`${one}`, at(one)])], ink), '');
  }
  const { schedule } = result;
  const bytes = si(result.throughput.total);
  lines.push(
    `${si(result.received)} replies in ${result.duration.toFixed(2)} s, ${bytes}B read`,
    ...ledger(result),
  );
  lines.push(
    schedule.offered === null
      ? `closed loop: ${si(schedule.achieved)} datagrams/s sent`
      : `schedule: ${si(schedule.offered)} datagrams/s offered, ${si(schedule.achieved)} achieved, send lag p99 ${ms(schedule.lagP99)}`,
  );
  lines.push(`jitter ${ms(result.jitter)}`);
  if (result.ports > 1) {
    const { mean, lossRate } = result.portSpread;
    lines.push(
      `ports: mean latency ${ms(mean.min)} to ${ms(mean.max)}, loss ${share(lossRate.min)} to ${share(lossRate.max)}`,
    );
  }
  for (const what of result.unknown)
    lines.push(ink.yellow(`cannot be known with ${result.size}-byte datagrams: ${what}`));
  for (const reason of result.reasons) lines.push(ink.yellow(`the client was a limit: ${reason}`));
  return `${lines.join('\n')}\n`;
}
