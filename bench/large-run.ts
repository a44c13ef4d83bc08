/**
 * Runs as large as nobody wants to wait for: a few trials are measured, and every cell of the large run gets the nearest of
 * them, made slower by what its ports or connections would cost, and by chance.
 */

import type { RunInfo } from '../src/contract/run.js';
import type { Machine } from '../src/experiments/experiment.js';
import { idleConnections } from '../src/experiments/idle-connections.js';
import { udpPorts } from '../src/experiments/udp-ports.js';
import { readRun } from '../src/results/find.js';
import { randomFrom } from '../src/statistics/random.js';
import type { Sample } from '../src/trials/sample.js';
import { slowed } from './slowed.js';
import { runSmall } from './small-run.js';

/** Every backend that any one system has, and one more. */
const machine: Machine = {
  available: ['select', 'select-posix', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot', 'kqueue'],
  nodeBackend: 'epoll',
  descriptorLimit: 20_000,
};

/** What a run measures, and the cells it stands for. */
interface Large {
  experiment: string;
  measured: object;
  settings: object;
  cells: readonly Sample['cell'][];
  trials: number;
}

const native = { backends: ['epoll'], impls: ['native'], references: [] };

/** The largest that the suite makes by itself: udp-ports as its full profile lays it out, 12 160 samples. */
function fullUdp(): Large {
  const settings = udpPorts.profile('full', machine) as object;
  return {
    experiment: udpPorts.id,
    // Slow rates last for several seconds, and tell of each.
    measured: { backends: ['epoll'], impls: ['native'], ports: [10], rates: [100, 10_000, null] },
    settings,
    cells: udpPorts.cells(settings, machine),
    trials: 10,
  };
}

/** Three mechanisms and ten numbers of idle connections: 5000 samples with 50 trials of each. */
function manyIdle(trials: number): Large {
  const settings = {
    ...(idleConnections.profile('full', machine) as object),
    backends: ['select', 'poll', 'epoll'],
    impls: ['baseline', 'native', 'ts', 'libuv'],
    ios: ['batch'],
    references: [],
    idle: [0, 500, 1000, 2000, 3000, 4000, 6000, 8000, 12_000, 16_000],
  };
  return {
    experiment: idleConnections.id,
    measured: {
      ...native,
      idle: [0],
      closed: { warmupMs: 50, durationMs: 250 },
      open: { rate: 500, warmupMs: 50, durationMs: 250 },
    },
    settings,
    cells: idleConnections.cells(settings, machine),
    trials,
  };
}

/** The closed loop for the closed loop, else the measured one whose rate is nearest. */
function nearest(measured: readonly Sample[], { rate }: Sample['cell']): Sample {
  const distance = (one: Sample) => {
    const known = one.cell.rate;
    if (typeof rate !== 'number' || typeof known !== 'number') return rate === known ? 0 : 1e9;
    return Math.abs(Math.log(rate / known));
  };
  return measured.toSorted((a, b) => distance(a) - distance(b))[0]!;
}

/** How much slower a mechanism that scans is with so many descriptors: the shape that is expected, nothing measured. */
const scanned = ({ backend, idle, ports }: Sample['cell']) =>
  String(backend).startsWith('select') || backend === 'poll' ? 1 + Number(idle ?? ports) / 800 : 1;

/** @param folder for the small run that it is made from */
export function largeRun(folder: string, large: Large): { info: RunInfo; samples: Sample[] } {
  const { experiment, measured, settings, cells, trials } = large;
  const small = runSmall(folder, { name: 'measured', experiment, settings: measured, blocks: 1 });
  const { info, parsed } = readRun(small);
  const random = randomFrom(experiment);
  const samples = Array.from({ length: trials }, (_, block) =>
    cells.map((cell, index): Sample => {
      const factor = scanned(cell) * (0.98 + 0.04 * random());
      return {
        ...slowed(nearest(parsed.samples, cell), factor),
        ...{ status: 'ok', error: null, gates: [] },
        ...{ cell, block, sequence: block * cells.length + index },
      };
    }),
  ).flat();
  const experiments = [{ experiment, profile: 'full' as const, settings: { ...settings } }];
  return { info: { ...info!, plan: { ...info!.plan, experiments } }, samples };
}

export const largest = (folder: string) => largeRun(folder, fullUdp());
export const large = (folder: string, trials: number) => largeRun(folder, manyIdle(trials));
