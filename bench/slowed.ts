/** Trials as they would have been, had everything taken longer. Pure functions. */

import type { LoadFigures } from '../src/contract/load.js';
import type { SnapshotBody } from '../src/contract/server.js';
import type { Measurement } from '../src/trials/registry.js';
import type { Sample } from '../src/trials/sample.js';

/** The server's CPU time between the snapshots, longer by `factor`. */
function dearer<S extends { before: SnapshotBody; after: SnapshotBody }>(one: S, factor: number): S {
  const { before, after } = one;
  const { userUs, systemUs } = before.cpu;
  const cpu = {
    userUs: userUs + factor * (after.cpu.userUs - userUs),
    systemUs: systemUs + factor * (after.cpu.systemUs - systemUs),
  };
  return { ...one, after: { ...after, cpu } };
}

const later = <F extends LoadFigures>(figures: F, factor: number): F => ({
  ...figures,
  achievedRate: figures.mode === 'closed' ? figures.achievedRate / factor : figures.achievedRate,
  latency: { ...figures.latency, p50: figures.latency.p50 * factor, p99: figures.latency.p99 * factor },
});

function slower(one: Measurement, factor: number): Measurement {
  if (one.kind === 'load') return { ...dearer(one, factor), load: later(one.load, factor) };
  if (one.kind === 'datagrams') return { ...dearer(one, factor), datagrams: later(one.datagrams, factor) };
  throw new Error(`nobody has said what a slower trial of kind '${one.kind}' is`);
}

/** The same trial of a server that needs `factor` times as long for everything. */
export function slowed(sample: Sample, factor: number): Sample {
  const measurements = Object.entries(sample.measurements).map(
    ([name, one]) => [name, slower(one, factor)] as const,
  );
  return { ...sample, measurements: Object.fromEntries(measurements) };
}
