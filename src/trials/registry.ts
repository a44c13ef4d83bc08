/** Kinds of trials. A new one is one file and one line here; what samples, metrics and runs know of it follows from that. */
import { z } from 'zod';
import type { Latency } from '../contract/load.js';
import type { Gate } from '../contract/sample.js';
import type { Needs } from '../stage/limits.js';
import type { Stage } from '../stage/stage.js';
import { blocks } from './blocks.js';
import { calls } from './calls.js';
import { codecs } from './codecs.js';
import { cost } from './cost.js';
import { curl } from './curl.js';
import { datagrams } from './datagrams.js';
import { instances } from './instances.js';
import type { Circumstances, Connects, Figure, KindMetric, Link, Served, Together } from './kind.js';
import { load } from './load.js';
import { migrate } from './migrate.js';
import { offload } from './offload.js';
import { output } from './output.js';
import { quorum } from './quorum.js';
import { sessions } from './sessions.js';
import { spawn } from './spawn.js';
import { standing } from './standing.js';
import { start } from './start.js';
import { transfer } from './transfer.js';
import { update } from './update.js';
import { wrk } from './wrk.js';

const kinds = [
  load,
  sessions,
  datagrams,
  cost,
  start,
  standing,
  wrk,
  curl,
  spawn,
  instances,
  update,
  calls,
  output,
  offload,
  transfer,
  blocks,
  quorum,
  codecs,
  migrate,
] as const;

type Kinds = typeof kinds;

/** What a trial measured under one name. */
export type Measurement = z.infer<Kinds[number]['measurement']>;
export const measurement: z.ZodType<Measurement> = z.union(kinds.map((kind) => kind.measurement));
export type MeasurementOf<Kind extends Measurement['kind']> = Extract<Measurement, { kind: Kind }>;

/** What one trial is asked to do. */
export type TrialSpec = Parameters<Kinds[number]['needs']>[0];

/** A kind as those see it that know none in particular. */
interface AnyKind {
  id: string;
  needs(spec: TrialSpec): Needs;
  carryOut(
    spec: TrialSpec,
    stage: Stage,
    done: (name: string, measurement: Measurement) => void,
  ): Promise<void>;
  together?: Together<TrialSpec, Measurement>;
  gates(name: string, measurement: Measurement, link: Link): Gate[];
  connects: Connects;
  metrics: readonly KindMetric<Measurement>[];
  served(measurement: Measurement): Served | null;
  distributions(measurement: Measurement): Record<string, Latency | null>;
  durationNs(measurement: Measurement): number;
}

const byId = new Map(kinds.map((kind) => [kind.id as string, kind as unknown as AnyKind]));

/** The kind of a spec or of a measurement. */
export const kindOf = ({ kind }: { kind: Measurement['kind'] }): AnyKind => byId.get(kind)!;

export type MetricId = Kinds[number]['metrics'][number]['id'];

interface Measured extends Circumstances {
  measurements: Readonly<Record<string, Measurement>>;
}

/** What a sample says: one number, or null where it has no such measurement or counter. */
export interface Metric extends Figure {
  id: MetricId;
  of(sample: Measured): number | null;
}

function merged(id: MetricId, ways: readonly (KindMetric<Measurement> & { kind: string })[]): Metric {
  const { from: _, of: __, kind: ___, ...figure } = ways[0]!;
  return {
    ...figure,
    id,
    of({ measurements, ...circumstances }) {
      for (const { kind, from, of } of ways) {
        const name = from.find((one) => measurements[one]?.kind === kind);
        if (name !== undefined) return of(measurements[name]!, circumstances);
      }
      return null;
    },
  };
}

const ways = [...byId.values()].flatMap(({ id: kind, metrics }) => metrics.map((one) => ({ ...one, kind })));

/** Every figure that some kind yields; kinds that share one share its words. */
export const metrics: readonly Metric[] = [...new Set(ways.map(({ id }) => id as MetricId))].map((id) =>
  merged(
    id,
    ways.filter((way) => way.id === id),
  ),
);

export function metric(id: MetricId): Metric {
  return metrics.find((candidate) => candidate.id === id)!;
}
