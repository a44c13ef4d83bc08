/**
 * What a wait costs more from TypeScript than natively, for itself and for each event that it brings: the same waits, measured
 * in turn, repetition by repetition. By CPU time of the thread: it never sleeps there, and what else the machine did meanwhile is
 * nobody's cost.
 */
import type { BackendName } from '../contract/common.js';
import { type Cost, crossingMode } from '../contract/cost.js';
import { type Interval, meanInterval } from '../statistics/interval.js';
import { roundCost } from '../statistics/round-cost.js';

export interface Crossings {
  /** by what was asked: all that a wait costs more, and the same over its events, nanoseconds */
  cells: {
    backend: BackendName;
    pairs: number;
    active: number;
    maxEvents: number;
    perWait: Interval;
    perEvent: Interval;
  }[];
  /** by mechanism, where numbers of active ones vary: for a wait, and for each event beside, nanoseconds */
  models: { backend: BackendName; fixed: Interval; perActive: Interval }[];
}

const cpuNs = ({ cpu }: Cost) => 1000 * (cpu.userUs + cpu.systemUs);
const waitNs = (line: Cost) => cpuNs(line) / line.waits;
const eventNs = (line: Cost) => cpuNs(line) / line.events;
const cellOf = ({ backend, pairs, active, maxEvents }: Cost) => ({ backend, pairs, active, maxEvents });
const mean = (values: readonly number[]) => meanInterval(values, 'linear');

/** @param measured of each cell and implementation one line for each repetition */
export function crossings(measured: readonly (readonly Cost[])[]): Crossings {
  const both = measured.flatMap((ts) => {
    const [first] = ts;
    if (first?.impl !== 'ts' || first.mode !== crossingMode) return [];
    const same = (other: Cost | undefined) =>
      other?.impl === 'native' && JSON.stringify(cellOf(other)) === JSON.stringify(cellOf(first));
    const native = measured.find(([other]) => same(other));
    if (!native) return [];
    const rounds = ts.map((line, block) => ({
      block,
      registered: line.pairs,
      active: line.events / line.waits,
      ns: waitNs(line) - waitNs(native[block]!),
      noiseNs: waitNs(native[block]!),
      perEvent: eventNs(line) - eventNs(native[block]!),
    }));
    return [{ cell: cellOf(first), rounds }];
  });
  const backends = [...new Set(both.map(({ cell }) => cell.backend))];
  return {
    cells: both.map(({ cell, rounds }) => ({
      ...cell,
      perWait: mean(rounds.map(({ ns }) => ns)),
      perEvent: mean(rounds.map(({ perEvent }) => perEvent)),
    })),
    models: backends.flatMap((backend) => {
      const own = both.filter(({ cell }) => cell.backend === backend).flatMap(({ rounds }) => rounds);
      const model = roundCost(own);
      return model?.perActive ? [{ backend, fixed: model.fixed, perActive: model.perActive }] : [];
    }),
  };
}
