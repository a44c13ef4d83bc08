/** What a million idle connections would take: a calculation from what so many took, with what it takes for granted. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { labelsAmong, type Series } from '../analysis/cells.js';
import { number } from '../number.js';
import { type Html, html, longTable } from './html.js';
import { factorName } from './words.js';

const wanted = 1_000_000;

interface Bytes {
  estimate: number;
  low: number | null;
  high: number | null;
}

export interface Projection {
  series: Series;
  /** connections that it is calculated from: the most that counting trials had */
  from: number;
  /** bytes for a million, one end of each */
  kernel: Bytes;
  server: Bytes;
  /** its interval adds the ends of both, so that it is rather too wide */
  total: Bytes;
}

const added = (one: number | null, other: number | null) =>
  one === null || other === null ? null : one + other;

/** Of each series whose trials tell both. */
export function projections({ series, summaryOf }: ExperimentAnalysis): Projection[] {
  return series.flatMap((one): Projection[] => {
    const told = one.points.flatMap(({ x, cell }) => {
      const { figures } = summaryOf(cell);
      const [kernel, server] = (['kernel-memory', 'server-memory'] as const).map(
        (id) => figures.get(id)?.interval,
      );
      return kernel && server ? [{ x, kernel, server }] : [];
    });
    const last = told.at(-1);
    if (!last) return [];
    const times = ({ estimate, low, high }: Bytes): Bytes => ({
      estimate: wanted * estimate,
      low: low === null ? null : wanted * low,
      high: high === null ? null : wanted * high,
    });
    const [kernel, server] = [times(last.kernel), times(last.server)];
    const total = {
      estimate: kernel.estimate + server.estimate,
      low: added(kernel.low, server.low),
      high: added(kernel.high, server.high),
    };
    return [{ series: one, from: last.x, kernel, server, total }];
  });
}

const gibibytes = ({ estimate, low, high }: Bytes): string => {
  const [mean, ...ends] = [estimate, low ?? Number.NaN, high ?? Number.NaN].map((one) =>
    number(one / 2 ** 30, 3),
  );
  return low === null ? `${mean} GiB` : `${mean} [${ends.join(', ')}] GiB`;
};

const assumptions = [
  'every further connection takes what those that were measured took on average',
  'the clients are on other machines, so that one end of each connection is here',
  'nothing is sent: every connection with data in a buffer takes a page of memory or more beside this',
  "a server's tables grow by doubling, so that up to twice its own figure may be held",
  'what poll and select take for the time of a wait is no object of the kernel, and is not counted: 64 bytes on Linux',
  'no firewall tracks the connections, which takes memory for each',
  'limits are raised: descriptors of the process and of the system (on Linux nofile, fs.nr_open, fs.file-max), and the clients have addresses enough, because one has ports for some ten thousand connections to one server',
];

/** Nothing where no trial told what connections take. */
export function projectionSection(experiment: ExperimentAnalysis): Html | string {
  const rows = projections(experiment);
  if (rows.length === 0) return '';
  const labelOf = labelsAmong(
    rows.map(({ series }) => series),
    [experiment.factor],
  );
  return html`<div class="panel"><h3>A million idle connections, on paper</h3>
<p class="soft">Bytes for one connection at the most that was measured, times a million. Nobody opened them: ${assumptions.join('; ')}. Whether a mechanism serves them in time is another question.</p>
${longTable(
  "Memory of the server's machine for a million idle connections",
  [
    { name: 'Series' },
    { name: `From ${factorName(experiment.factor)}`, figure: true },
    { name: 'Kernel', figure: true },
    { name: 'Server', figure: true },
    { name: 'Together', figure: true },
  ],
  rows.map(({ series, from, kernel, server, total }) => [
    labelOf(series),
    number(from),
    ...[kernel, server, total].map(gibibytes),
  ]),
)}</div>`;
}
