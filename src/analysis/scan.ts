/** The cost of a scan, fitted to the counters that every window of a poller's server has. */
import { type ScanModel, type Scanned, scanCost, scanModel } from '../statistics/scan-cost.js';
import { measuredAs } from '../trials/sample.js';
import { cpuUs } from '../trials/served.js';
import { type Cell, type Series, seriesAlong } from './cells.js';

/** How many requests shared a scan in the windows of one name, among the most descriptors. */
export interface Shared {
  window: string;
  active: number;
  requestsPerWait: number;
}

export interface ScannedSeries {
  series: Series;
  model: ScanModel;
  /** one wait among the most descriptors, µs */
  largestScan: number;
  shared: Shared[];
}

/** Whether a wait is shown to cost more for every descriptor registered. */
export const isScan = ({ perDescriptor: { low } }: ScanModel): boolean => low !== null && low > 0;

interface Window extends Scanned {
  name: string;
  active: number;
}

/** Windows of a cell whose server counts its waits; a level that several processes served has a scan in each. */
function windowsOf({ trials }: Cell): Window[] {
  return trials
    .filter(({ serverProcesses }) => serverProcesses === 1)
    .flatMap((trial) =>
      measuredAs(trial, 'load').flatMap(([name, { before, after, idle, load }]): Window[] => {
        if (!before.counters || !after.counters || load.replies === 0) return [];
        return [
          {
            name,
            active: load.connections,
            block: trial.block,
            registered: (idle?.asked ?? 0) + load.connections,
            waitsPerRequest: (after.counters.waits - before.counters.waits) / load.replies,
            cpuUs: cpuUs({ before, after, cpus: null }) / load.replies,
          },
        ];
      }),
    );
}

function sharedAmong(windows: readonly Window[], registered: number): Shared[] {
  const largest = windows.filter((one) => one.registered === registered);
  return [...new Set(largest.map(({ name }) => name))].map((window) => {
    const same = largest.filter(({ name }) => name === window);
    const waits = same.reduce((sum, { waitsPerRequest }) => sum + waitsPerRequest, 0) / same.length;
    return { window, active: same[0]!.active, requestsPerWait: 1 / waits };
  });
}

/** One model for each server of an experiment along idle connections that allows one. */
export function scanModels(series: readonly Series[]): ScannedSeries[] {
  return series.flatMap((one) => {
    const windows = one.points.flatMap(({ cell }) => windowsOf(cell)).filter((window) => window.cpuUs > 0);
    const model = scanModel(windows);
    if (!model) return [];
    const { cost, largest } = model;
    return [
      {
        series: one,
        model,
        largestScan: scanCost(cost, largest, 1) - cost.request,
        shared: sharedAmong(windows, largest),
      },
    ];
  });
}

export const scanModelsOf = (cells: readonly Cell[]) =>
  scanModels(
    seriesAlong(
      cells.filter(({ experiment }) => experiment === 'idle-connections'),
      'idle',
    ),
  );
