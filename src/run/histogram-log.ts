/** The distributions of a trial in HdrHistogram's log format (version 1.3), which its own tools read. */
import type { Latency } from '../contract/load.js';
import type { Window } from '../contract/sample.js';

/** One line per distribution, tagged `window.distribution`; the maximum column is in ms, as HdrHistogram writes it. */
export function histogramLog(startedAt: string, windows: readonly (readonly [string, Window])[]): string {
  const seconds = Date.parse(startedAt) / 1000;
  const header = [
    '#[Histogram log format version 1.3]',
    `#[StartTime: ${seconds.toFixed(3)} (seconds since epoch), ${startedAt}]`,
    '"StartTimestamp","Interval_Length","Interval_Max","Interval_Compressed_Histogram"',
  ];
  const lines = windows.flatMap(([name, { load }]) => {
    const all: [string, Latency | null][] = [
      ['latency', load.latency],
      ['latencyUncorrected', load.latencyUncorrected],
      ['sendLag', load.sendLag],
      ['connect', load.connect],
    ];
    return all
      .filter(([, distribution]) => distribution !== null)
      .map(([what, distribution]) => {
        const { max, histogram } = distribution!;
        const interval = (load.windowNs / 1e9).toFixed(3);
        return `Tag=${name}.${what},0.000,${interval},${(max / 1e6).toFixed(3)},${histogram}`;
      });
  });
  return `${[...header, ...lines].join('\n')}\n`;
}
