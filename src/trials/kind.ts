/**
 * A kind of trial: what one measurement of it is, what it takes, how it is carried out, when it is doubted, and which
 * figures it yields. A new kind is one file beside this one and one line in registry.ts.
 */
import type { z } from 'zod';
import type { HostFacts } from '../contract/host.js';
import type { EmulatedLink } from '../contract/link.js';
import type { Latency } from '../contract/load.js';
import type { Gate, NetworkChange, Pinning, Span } from '../contract/sample.js';
import type { Needs } from '../stage/limits.js';
import type { Stage } from '../stage/stage.js';
import type { Random } from '../statistics/random.js';

/**
 * Whether a kind opens connections. `freely`: it asks for them whatever becomes of them, so that those the kernel drops
 * are part of what is measured.
 */
export type Connects = boolean | 'freely';

/** What a figure of a sample is, whatever it is taken from. */
export interface Figure<Id extends string = string> {
  id: Id;
  title: string;
  unit: string;
  better: 'higher' | 'lower' | 'neither';
  /** digits after the point in tables */
  digits: number;
  /** what it tells, independent of the numbers; empty: it only explains others */
  meaning: string;
}

/** An emulated link between the sides; null: there is none, so that nothing is lost or slow on the way. */
export type Link = EmulatedLink | null;

/** What a figure may know beside its measurement. */
export interface Circumstances {
  pinning: Pinning;
  host: Pick<HostFacts, 'cpuAccounting'>;
  /** what the kernel counted during the whole of the trial; left out: nobody asked */
  network?: NetworkChange | null;
}

/** A figure of one kind of measurement. */
export interface KindMetric<Measurement, Id extends string = string> extends Figure<Id> {
  /** names of the measurements it is read from: the first that a trial has */
  from: readonly string[];
  /** @returns null where the measurement does not tell */
  of(measurement: Measurement, circumstances: Circumstances): number | null;
}

/** A server's part in a measurement. */
export interface Served {
  span: Span;
  /** received and sent by the client, payload and protocol */
  bytes: number;
  durationNs: number;
  /** CPU time of the client's load between the snapshots, its spinning included; left out: not told */
  clientUs?: number;
}

/** One of several trials that are carried out at the same time. */
export interface Member<Spec, Measurement> {
  spec: Spec;
  stage: Stage;
  done(name: string, measurement: Measurement): void;
  /** it cannot be finished; the others go on */
  failed(error: Error): void;
}

/** How trials are carried out that stand at the same time and are measured in turn. */
export interface Together<Spec, Measurement> {
  /** trials of one host and the same text are carried out together; null: this one alone */
  key(spec: Spec): string | null;
  /**
   * @param random of the order of windows
   * @param round called as a round over all members begins, 1 for the first, with how many there are
   * @throws Error in one sentence when none of them can be finished
   */
  carryOut(
    members: readonly Member<Spec, Measurement>[],
    random: Random,
    round: (index: number, rounds: number) => void,
  ): Promise<void>;
}

export interface TrialKind<
  Id extends string,
  Spec extends { kind: Id },
  Measurement extends { kind: Id },
  MetricId extends string,
> {
  id: Id;
  measurement: z.ZodType<Measurement>;
  /** what it takes of the hosts: of the largest moment of the trial */
  needs(spec: Spec): Needs;
  /**
   * Carries a trial out; each measurement is handed over, under its name, as soon as it is there.
   * @throws Error in one sentence when the trial cannot be finished
   */
  carryOut(spec: Spec, stage: Stage, done: (name: string, measurement: Measurement) => void): Promise<void>;
  /** left out: every trial alone */
  together?: Together<Spec, Measurement>;
  /** Doubts about one measurement. */
  gates(name: string, measurement: Measurement, link: Link): Gate[];
  /** it opens connections, so that the kernel's counters of dropped ones speak of it */
  connects: Connects;
  metrics: readonly KindMetric<Measurement, MetricId>[];
  /** what a server did in it, for rules that hold for any machine; null: it had none */
  served(measurement: Measurement): Served | null;
  /** its distributions, for other programs to read, by name */
  distributions(measurement: Measurement): Record<string, Latency | null>;
  /** nanoseconds that a measurement lasted */
  durationNs(measurement: Measurement): number;
}

/** Keeps the literal types of the ids of a kind and its metrics. */
export const trialKind = <
  const Id extends string,
  Spec extends { kind: Id },
  Measurement extends { kind: Id },
  const MetricId extends string,
>(
  kind: TrialKind<Id, Spec, Measurement, MetricId>,
): TrialKind<Id, Spec, Measurement, MetricId> => kind;
