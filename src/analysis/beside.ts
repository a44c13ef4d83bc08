/** Published tables of gateways, each figure beside the same one of a run: absolute, and over the native gateway's. Pure. */
import { blockedRatio, type Interval } from '../statistics/interval.js';
import { type Metric, metric } from '../trials/registry.js';
import type { ExperimentAnalysis } from './analyse.js';
import { blockedValuesOf, type Cell } from './cells.js';
import { type GatewayVariant, gatewayVariants, publishedGateways } from './reference/gateways-2026.js';

/** Whose figures the others are divided by, there and here. */
export const dividedBy: GatewayVariant = 'native_local';

interface Side<Value> {
  value: Value;
  overNative: Value;
}

export interface BesideTable {
  what: string;
  host: string;
  metric: Metric;
  rows: { variant: string; theirs: Side<number>; ours: Side<Interval> | null }[];
}

/** One table for each published one and host of which the run has the native gateway and another one. */
export function besidePublished(experiments: readonly ExperimentAnalysis[]): BesideTable[] {
  return publishedGateways.flatMap(({ what, experiment: name, metric: id, levels, figures }) => {
    const measured = metric(id);
    const experiment = experiments.find((one) => one.name === name);
    const cells = (experiment?.cells ?? []).filter(
      ({ cell, figures: own }) =>
        own.has(id) && Object.entries(levels).every(([factor, level]) => cell.levels[factor] === level),
    );
    const hosts = [...new Set(cells.map(({ cell }) => cell.host.name))];
    return hosts.flatMap((host): BesideTable[] => {
      const of = (variant: string) =>
        cells.find(({ cell }) => cell.host.name === host && cell.levels.impl === variant);
      const native = of(dividedBy);
      const rows = gatewayVariants.map((variant) => {
        const own = of(variant);
        const ratio = (one: Cell, other: Cell) =>
          blockedRatio(blockedValuesOf(one, measured), blockedValuesOf(other, measured));
        return {
          variant,
          theirs: { value: figures[variant], overNative: figures[variant] / figures[dividedBy] },
          ours:
            own && native
              ? { value: own.figures.get(id)!.interval, overNative: ratio(own.cell, native.cell) }
              : null,
        };
      });
      return rows.filter(({ ours }) => ours).length > 1 ? [{ what, host, metric: measured, rows }] : [];
    });
  });
}
