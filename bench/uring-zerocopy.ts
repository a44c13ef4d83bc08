/**
 * From which size sending without copying pays: the native echo on the completion engine with it against without, over
 * sizes of a message. Over loopback and veth the kernel copies in either case, and the notifications come on top.
 */
import Table from 'cli-table3';
import { blockedRatio, type Interval } from '../src/statistics/interval.js';
import type { LoadTrial } from '../src/trials/load-window.js';
import { together } from './field.js';
import { shown } from './lib.js';
import { servers } from './uring-map.js';

const buffers = 'buffers=256,bytes=65536';

interface SizeRow {
  size: number;
  /** CPU time of a request without copying over that with */
  ratio: Interval;
}

const trialOf = (size: number, engineOptions: string): LoadTrial => ({
  kind: 'load',
  subject: { kind: 'dispatch', protocol: 'tcp-echo', ...servers['native uring'], engineOptions },
  processes: 1,
  idle: 0,
  windows: [{ name: 'closed', connections: 10, rate: null, size, warmupMs: 20, durationMs: 100 }],
  rounds: 4,
});

export async function zeroCopyBySize(quick: boolean, generations: number) {
  const rows: SizeRow[] = [];
  for (const size of quick ? [16_384] : [1024, 4096, 16_384, 65_536]) {
    const values: { block: number; value: number }[][] = [[], []];
    for (let block = 0; block < generations; block++) {
      const figures = await together(
        [
          ['copied', trialOf(size, buffers)],
          ['not copied', trialOf(size, `${buffers},zerocopy=1`)],
        ],
        `zerocopy/${size}/${block}`,
      );
      figures.forEach(({ cpuUsPerRequest: value }, index) => {
        values[index]!.push({ block, value });
      });
    }
    rows.push({ size, ratio: blockedRatio(values[1]!, values[0]!) });
  }
  const table = new Table({
    head: ['bytes', 'CPU per request, not copied / copied'],
    style: { head: [], border: [], compact: true },
  });
  for (const { size, ratio } of rows) table.push([size, shown(ratio)]);
  return { rows, table: table.toString() };
}
