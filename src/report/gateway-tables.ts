/**
 * The tables of the report on gateways (2026) in its own layout, for those who have tools for them: percentiles of cold
 * start and of warm latency, throughput by connections with resources, every trial of it, and what it was measured on. A
 * pure function of a run's samples; only what counts is in it.
 */
import { counted } from '../number.js';
import { metric } from '../trials/registry.js';
import { measured, type Sample } from '../trials/sample.js';

type Row = readonly (string | number)[];

const csv = (head: readonly string[], rows: readonly Row[]): string =>
  `${[head, ...rows].map((row) => row.join(',')).join('\n')}\n`;

/** By nearest rank, as the report's tools do. */
function percentileOf(values: readonly number[], share: number): number {
  const sorted = [...values].sort((a, b) => a - b);
  return sorted[Math.max(0, Math.ceil(share * sorted.length) - 1)]!;
}

const rounded = (value: number, digits: number) => Number(value.toFixed(digits));

const percentileColumns = ['variant', 'p50_ms', 'p90_ms', 'p99_ms', 'n'];

function byVariant(samples: readonly Sample[]): Map<string, Sample[]> {
  const groups = new Map<string, Sample[]>();
  for (const sample of samples) {
    const name = `${sample.cell.impl}`;
    groups.set(name, [...(groups.get(name) ?? []), sample]);
  }
  return groups;
}

/** Milliseconds of single starts: a trial has one. */
function coldStarts(samples: readonly Sample[]): Row[] {
  const asked = samples.filter(({ cell }) => cell.asking === 'curl');
  return [...byVariant(asked)].map(([variant, all]) => {
    const times = all.flatMap((sample) => metric('first-reply').of(sample) ?? []);
    const at = (share: number) => rounded(percentileOf(times, share), 2);
    return [variant, at(0.5), at(0.9), at(0.99), times.length];
  });
}

/** Milliseconds of a request by a curl of its own: the middle trial's percentiles, and requests of all trials. */
function warmLatencies(samples: readonly Sample[]): Row[] {
  return [...byVariant(samples)].flatMap(([variant, all]) => {
    const curls = all.flatMap((sample) => measured(sample, 'curl', 'curl')?.curl ?? []);
    if (curls.length === 0) return [];
    const at = (name: 'p50' | 'p90' | 'p99') =>
      rounded(
        percentileOf(
          curls.map(({ whole }) => whole[name] / 1e6),
          0.5,
        ),
        2,
      );
    return [
      [variant, at('p50'), at('p90'), at('p99'), curls.reduce((sum, { requests }) => sum + requests, 0)],
    ];
  });
}

/** One trial of wrk: rate, memory in KB, CPU in percent of one CPU, and that per 1000 requests a second. */
function throughput(sample: Sample): number[] | null {
  const [rate, memory, cpu] = (['throughput', 'memory', 'cpu-per-request'] as const).map((id) =>
    metric(id).of(sample),
  );
  if (rate == null || memory == null || cpu == null || !measured(sample, 'closed', 'wrk')) return null;
  return [rate, memory * 1024, (rate * cpu) / 1e4, cpu / 10];
}

const throughputColumns = ['rps', 'rss_kb', 'cpu_avg', 'cpu_per_1k_rps'];
const digits = [1, 0, 2, 2];

function throughputRows(samples: readonly Sample[]): { trials: Row[]; means: Row[] } {
  const cells = new Map<string, { levels: Row; trials: number[][] }>();
  const trials: Row[] = [];
  for (const sample of samples) {
    const figures = throughput(sample);
    if (!figures) continue;
    const { workload, impl, connections } = sample.cell;
    const levels = [`${workload ?? 'hello'}`, `${impl}`, Number(connections)];
    trials.push([...levels, sample.block, ...figures.map((value, i) => rounded(value, digits[i]!))]);
    const key = levels.join(' ');
    const cell = cells.get(key) ?? { levels, trials: [] };
    cell.trials.push(figures);
    cells.set(key, cell);
  }
  const means = [...cells.values()].map(
    ({ levels, trials: all }): Row => [
      ...levels,
      ...throughputColumns.map((_, i) =>
        rounded(all.reduce((sum, one) => sum + one[i]!, 0) / all.length, digits[i]!),
      ),
      all.length,
    ],
  );
  return { trials, means };
}

function environment({ host, startedAt }: Sample): string {
  const { name, kernel, cpuModel, vcpus, memoryBytes, hypervisor } = host;
  return [
    `date: ${startedAt}`,
    `host: ${name}`,
    `kernel: ${kernel}`,
    `cpu: ${cpuModel}, ${counted(vcpus, 'CPU')}`,
    `memory: ${Math.round(memoryBytes / 2 ** 20)} MiB`,
    `hypervisor: ${hypervisor ?? 'none'}`,
    '',
  ].join('\n');
}

/** Texts by path; none where the run measured no gateways. */
export function gatewayTables(all: readonly Sample[]): Map<string, string> {
  const counted = all.filter(
    ({ status, experiment }) => status === 'ok' && experiment.startsWith('gateway-'),
  );
  const of = (name: string) => counted.filter(({ experiment }) => experiment === `gateway-${name}`);
  const [first] = counted;
  if (!first) return new Map();
  const { trials, means } = throughputRows([...of('throughput'), ...of('resources')]);
  const levels = ['workload', 'variant', 'conns'];
  const files: [string, string, number][] = [
    [
      'summary/cold_start_percentiles.csv',
      csv(percentileColumns, coldStarts(of('cold-start'))),
      of('cold-start').length,
    ],
    [
      'summary/warm_latency_percentiles.csv',
      csv(percentileColumns, warmLatencies(of('latency'))),
      of('latency').length,
    ],
    ['summary/throughput_summary.csv', csv([...levels, ...throughputColumns, 'trials'], means), means.length],
    ['aggregated/throughput.csv', csv([...levels, 'block', ...throughputColumns], trials), trials.length],
    ['meta/env_snapshot.txt', environment(first), 1],
  ];
  return new Map(files.filter(([, , rows]) => rows > 0).map(([name, text]) => [name, text]));
}
