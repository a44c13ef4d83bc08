/** `dispatchbench load`: one load against any server, from this process. */
import { Argument, Command } from '@commander-js/extra-typings';
import Table from 'cli-table3';
import type { Latency, LoadResult } from '../../contract/load.js';
import { type LoadObserver, runLoad } from '../../load/engine.js';
import { loadOptionsOf, withLoadOptions } from '../../load/options.js';
import { setAffinity } from '../../process.js';

export const load = withLoadOptions(new Command('load'))
  .addArgument(new Argument('<protocol>', 'what to speak').choices(['tcp-echo', 'http'] as const))
  .option('--json', 'print the result as JSON')
  .action(async (protocol, values) => {
    const options = loadOptionsOf(protocol, values);
    if (values.cpu) setAffinity(values.cpu);
    const result = await runLoad(options, process.stderr.isTTY ? liveLine() : { line() {} });
    console.log(values.json ? JSON.stringify(result, null, 2) : describeLoad(result));
    if (result.replies === 0) throw new Error('no request was answered in the window');
  });

/** One line on a terminal that is written over while the load goes on. */
function liveLine(): LoadObserver {
  let last = { replies: 0, at: performance.now() };
  let window = 'warming up';
  const show = (text: string) => process.stderr.write(`\r\x1b[K${text}`);
  return {
    line(line) {
      if (line.event === 'connected') show(`${line.connections} connections stand`);
      if (line.event === 'window-start') window = 'measuring';
      if (line.event === 'window-end') show('');
    },
    progress({ replies, errors }) {
      const now = performance.now();
      const rate = (1000 * (replies - last.replies)) / (now - last.at);
      last = { replies, at: now };
      show(`${window}: ${rate.toFixed(0)} replies/s, ${replies} in all, ${errors} errors`);
    },
  };
}

const microseconds = (ns: number) => (ns / 1000).toFixed(1);
const percent = (share: number) => `${(100 * share).toFixed(1)} %`;

/** Everything a reader needs to judge the figures, in two tables. */
export function describeLoad(result: LoadResult): string {
  const { client, errors } = result;
  const failures = Object.entries(errors).filter(([, count]) => count > 0);
  const facts = table();
  const arrival = result.mode === 'open' ? `open loop, ${result.arrival} gaps` : 'closed loop';
  const pipelining = result.pipelining > 1 ? `, ${result.pipelining} in flight on each` : '';
  facts.push(
    ['load', `${result.protocol}, ${arrival}, ${result.connections} connections${pipelining}`],
    ['window', `${result.windowNs / 1e9} s after ${result.warmupNs / 1e9} s of warm-up`],
    ['replies', `${result.achievedRate.toFixed(1)} per second (${result.replies})`],
    ['requests', result.offeredRate === null ? `${result.requests}` : offered(result.offeredRate, result)],
    ['errors', failures.map(([kind, count]) => `${count} ${kind}`).join(', ') || 'none'],
    ['reconnects', `${result.reconnects}`],
    ['client', `busy ${percent(client.busyShare)} of one CPU, spinning ${percent(client.spinShare)}`],
  );
  const latencies = table(['us', 'values', 'mean', 'p50', 'p90', 'p99', 'p99.9', 'p99.99', 'max']);
  const row = (name: string, { count, mean, p50, p90, p99, p999, p9999, max }: Latency) =>
    latencies.push([name, `${count}`, ...[mean, p50, p90, p99, p999, p9999, max].map(microseconds)]);
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
