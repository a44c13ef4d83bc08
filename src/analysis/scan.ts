/** The cost of a scan, fitted to the counters that every window of a poller's server has. */
import { type ScanModel, type Scanned, scanModel } from '../statistics/scan-cost.js';
import { measuredAs } from '../trials/sample.js';
import { cpuUs } from '../trials/served.js';
import { type Cell, type Series, seriesAlong } from './cells.js';

/** Windows of a cell whose server counts its waits; a level that several processes served has a scan in each. */
function windowsOf({ trials }: Cell): Scanned[] {
  return trials
    .filter(({ serverProcesses }) => serverProcesses === 1)
    .flatMap((trial) =>
      measuredAs(trial, 'load').flatMap(([, { before, after, idle, load }]): Scanned[] => {
        if (!before.counters || !after.counters || load.replies === 0) return [];
        return [
          {
            block: trial.block,
            registered: (idle?.asked ?? 0) + load.connections,
            waitsPerRequest: (after.counters.waits - before.counters.waits) / load.replies,
            cpuUs: cpuUs({ before, after, cpus: null }) / load.replies,
          },
        ];
      }),
    );
}

/** One model for each server of an experiment along idle connections that allows one. */
export function scanModels(series: readonly Series[]): { series: Series; model: ScanModel }[] {
  return series.flatMap((one) => {
    const windows = one.points.flatMap(({ cell }) => windowsOf(cell)).filter((window) => window.cpuUs > 0);
    const model = scanModel(windows);
    return model ? [{ series: one, model }] : [];
  });
}

export const scanModelsOf = (cells: readonly Cell[]) =>
  scanModels(
    seriesAlong(
      cells.filter(({ experiment }) => experiment === 'idle-connections'),
      'idle',
    ),
  );
