/** Published figures of offloading beside those of a run: how systems bear short tasks where long ones cost so much more. Pure. */
import { blockedRatio, type Interval } from '../statistics/interval.js';
import { metric } from '../trials/registry.js';
import type { CellSummary, ExperimentAnalysis } from './analyse.js';
import { blockedValuesOf, levelLabel, seriesLabel } from './cells.js';
import { type OffloadReference, wasimoff2023 } from './reference/wasimoff-2023.js';

const [short, long] = ['tsp-8', 'tsp-10'] as const;

/** One system with as many machines or workers, at both tasks. */
interface Row<Value> {
  who: string;
  on: string;
  rates: Record<OffloadReference['task'], Value | null>;
  p50Ms: Record<OffloadReference['task'], Value | null>;
  /** tasks a second of the short one over those of the long one */
  ratio: Value | null;
}

export interface OffloadBeside {
  host: string;
  ours: Row<Interval>[];
}

const pairOf = <Value>(of: (task: OffloadReference['task']) => Value) => ({
  [short]: of(short),
  [long]: of(long),
});

/** Every published row, and requests of them that failed. */
export const publishedOffload: (Row<number> & { failures: number })[] = wasimoff2023
  .filter(({ task }) => task === short)
  .map(({ system, machines, ...first }) => {
    const other = wasimoff2023.find(
      (one) => one.task === long && one.system === system && one.machines === machines,
    )!;
    const at = (task: OffloadReference['task']) => (task === short ? first : other);
    return {
      who: system,
      on: `${machines} machines`,
      rates: pairOf((task) => at(task).rate),
      p50Ms: pairOf((task) => at(task).p50Ms),
      failures: first.failures + other.failures,
      ratio: first.rate / other.rate,
    };
  });

/** Of each host that has the tasks that were published. */
export function besideOffload(experiments: readonly ExperimentAnalysis[]): OffloadBeside[] {
  const cells = experiments.find(({ name }) => name === 'offload')?.cells ?? [];
  const rate = metric('offload-rate');
  const hosts = [...new Set(cells.map(({ cell }) => cell.host.name))];
  return hosts.flatMap((host): OffloadBeside[] => {
    const groups = new Map<string, Map<string, CellSummary>>();
    for (const one of cells) {
      const { task, ...levels } = one.cell.levels;
      if (one.cell.host.name !== host || (task !== short && task !== long)) continue;
      if (!one.figures.has(rate.id)) continue;
      const key = JSON.stringify(levels);
      groups.set(key, (groups.get(key) ?? new Map()).set(task, one));
    }
    const ours = [...groups.values()].map((tasks): Row<Interval> => {
      const [{ cell }] = [...tasks.values()] as [CellSummary];
      const [a, b] = [tasks.get(short), tasks.get(long)];
      const figure = (id: 'offload-rate' | 'offload-p50') =>
        pairOf((task) => tasks.get(task)?.figures.get(id)?.interval ?? null);
      return {
        who: seriesLabel(cell.levels),
        on: ['providers', 'workers'].map((name) => levelLabel(name, cell.levels[name])).join(', '),
        rates: figure('offload-rate'),
        p50Ms: figure('offload-p50'),
        ratio: a && b ? blockedRatio(blockedValuesOf(a.cell, rate), blockedValuesOf(b.cell, rate)) : null,
      };
    });
    ours.sort((a, b) => `${a.who} ${a.on}`.localeCompare(`${b.who} ${b.on}`, 'en', { numeric: true }));
    return ours.length > 0 ? [{ host, ours }] : [];
  });
}
