/** What rate a UDP server carries without loss, from the offered rates of a run and its closed loop. */
import type { HostFacts } from '../contract/host.js';
import { type CellLevels, levelsKey } from '../contract/sample.js';
import { type Interval, meanInterval } from '../statistics/interval.js';
import { metric } from '../trials/registry.js';
import { type Cell, valuesOf } from './cells.js';

export interface LossFree {
  host: HostFacts;
  /** all factors but the rate */
  levels: CellLevels;
  /** answered per second in the closed loop, whose unanswered datagrams fit every buffer; null when not measured */
  closed: Interval | null;
  /** highest offered rate at and below which no counting trial lost one; null when the lowest lost some */
  held: number | null;
  /** lowest offered rate above it at which a trial lost some; null when none did */
  lostAt: number | null;
}

/** One row per server and port count, in the order of `cells`. */
export function lossFreeRates(cells: readonly Cell[]): LossFree[] {
  const groups = new Map<string, Pick<LossFree, 'levels' | 'host'> & { members: Cell[] }>();
  for (const cell of cells) {
    const { rate: _, ...levels } = cell.levels;
    const key = `${cell.host.name} ${levelsKey(levels)}`;
    const group = groups.get(key) ?? { levels, host: cell.host, members: [] };
    group.members.push(cell);
    groups.set(key, group);
  }
  return [...groups.values()].map(({ levels, host, members }) => {
    const rates = members
      .flatMap((cell) => {
        const lost = valuesOf(cell, metric('loss-rate'));
        const { rate } = cell.levels;
        return typeof rate === 'number' && lost.length > 0
          ? [{ rate, lossy: lost.some((one) => one > 0) }]
          : [];
      })
      .sort((a, b) => a.rate - b.rate);
    const first = rates.findIndex(({ lossy }) => lossy);
    const carried = first < 0 ? rates : rates.slice(0, first);
    const closed = members.flatMap((cell) => valuesOf(cell, metric('loss-free-rate')));
    return {
      levels,
      host,
      closed: closed.length > 0 ? meanInterval(closed) : null,
      held: carried[carried.length - 1]?.rate ?? null,
      lostAt: rates[first]?.rate ?? null,
    };
  });
}
