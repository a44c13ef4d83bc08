/**
 * An experiment: a question, its factors and what one trial does, as data; and everything that other rooms say of it:
 * its flags, its words, what of it is drawn and compared. No process and no socket is touched here.
 */
import type { z } from 'zod';
import type { BackendName, EngineName } from '../contract/common.js';
import type { FoundRuntime } from '../contract/device.js';
import type { FoundGateway } from '../contract/gateway.js';
import type { HostLook } from '../contract/host.js';
import { type Plan, type ProfileName, profileName } from '../contract/run.js';
import type { CellLevels } from '../contract/sample.js';
import type { MetricId, TrialSpec } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';

/** What an experiment may know of the machine to choose its cells. */
export interface Machine {
  /** backends that work here, in the order of the registry */
  available: BackendName[];
  /** completion engines that work here; left out: nothing is known of any */
  engines?: EngineName[];
  /** what Node's own networking uses here */
  nodeBackend: BackendName;
  /** open descriptors a process may have */
  descriptorLimit: number;
  /** gateways, those that are missing as well; left out: nothing is known of any */
  gateways?: readonly FoundGateway[];
  /** ways to have the works of a device done, likewise */
  runtimes?: readonly FoundRuntime[];
}

export const machineOf = ({
  backends,
  engines,
  nodeBackend,
  environment,
  gateways,
  runtimes,
}: HostLook): Machine => ({
  available: backends.filter(({ available }) => available).map(({ name }) => name),
  engines: engines.filter(({ available }) => available).map(({ name }) => name),
  nodeBackend,
  descriptorLimit: environment.descriptorLimit.hard,
  gateways,
  runtimes,
});

/** How long a run goes on. */
export type Pace = Pick<Plan, 'budgetMs' | 'blocks' | 'precision'>;

/** An option of `run` that replaces a setting. */
export interface Flag {
  /** as commander reads it: '--idle <list>' */
  flags: string;
  description: string;
  /** the setting it replaces; dots lead into objects */
  setting: string;
  /** @throws commander's InvalidArgumentError */
  parse(text: string, previous: unknown): unknown;
  /** it names what is to be measured, so that the profile's own references are left out */
  names?: boolean;
}

/** A factor in words. */
export interface Factor {
  /** beside a number: 'idle connections' */
  name: string;
  /** a level in words, where it is not the number and the name: '300 000/s' */
  level?(level: string | number | null): string | null;
  /** its levels are told apart within a panel of a plot, and make none of their own */
  within?: boolean;
}

/** A figure of the report, drawn along the axis unless it says otherwise. */
export type PlotRequest =
  /** a panel per implementation, a line per mechanism */
  | { kind: 'lines'; metric: MetricId; logY: boolean }
  /** where the CPU time goes */
  | { kind: 'cpu-stack' }
  /** latency by percentile at both ends of the axis */
  | { kind: 'percentiles' }
  /** response time second by second at one rate; `figure`: of the thesis */
  | { kind: 'per-second'; rate: number; figure: string }
  /** every host a line: absolute, a figure for each class, and as growth over its own start, all classes in one */
  | { kind: 'hosts'; metric: MetricId }
  /**
   * a row for each server, by the first figure; a panel for each of its circumstances, or for each of several figures of
   * the cells with these levels
   */
  | {
      kind: 'servers';
      metrics: readonly [MetricId, ...MetricId[]];
      levels?: CellLevels;
      title?: string;
      logY: boolean;
    }
  /** over the axis and the next factor; `closed` stands in on the row of the closed loop */
  | { kind: 'heat'; metric: MetricId; closed?: MetricId; logarithmic: boolean };

/** What an experiment says of hosts: all that there are on a machine are measured unless somebody names some. */
export interface AcrossHosts {
  /** costs whose growth along the axis ranks hosts, of the cells with these levels; the first one answers */
  ranked: readonly { metric: MetricId; levels: CellLevels; of: string }[];
  /** costs at the near end of the axis, of the cells with these levels, held against the machine itself */
  overhead: readonly { metric: MetricId; levels: CellLevels; of: string }[];
}

export interface Compared {
  metric: MetricId;
  /** ratio: how much slower is asked, not by how many microseconds. difference: often 0, and 0 has no ratio */
  scale: 'ratio' | 'difference';
}

export interface Experiment<Settings = unknown, Cell extends CellLevels = CellLevels> {
  id: string;
  /** the question it answers, for the report and --help */
  question: string;
  /** the factor the question is about: what figures are drawn along, even where another one has more levels */
  axis: string;
  /** the numeric axis is drawn linear */
  linearAxis?: boolean;
  /** factors of a cell */
  cell: z.ZodType<Cell>;
  /** shape of the settings, complete */
  settings: z.ZodType<Settings>;
  flags: readonly Flag[];
  /** factors in words, by name; mechanism and implementation need none */
  factors: Readonly<Record<string, Factor>>;
  /** what it calls what metrics call requests and latency: whole words, in the order they are replaced */
  words: readonly (readonly [RegExp, string])[];
  /** hosts are what it compares; left out: it compares what runs on each of them */
  acrossHosts?: AcrossHosts;
  /** part of what `run quick` (npm start) runs, in less than two minutes together */
  quick: boolean;
  /** built-in profiles that it has; left out: quick, thesis and full */
  profiles?: readonly ProfileName[];
  /** complete settings of a built-in profile on this machine */
  profile(name: ProfileName, machine: Machine): Settings;
  /** what of its profile's pace these settings change */
  pace?(name: ProfileName, settings: Settings): Partial<Pace>;
  /** every combination of factor levels that exists, in a fixed order */
  cells(settings: Settings, machine: Machine): Cell[];
  trial(cell: Cell, settings: Settings, machine: Machine): TrialSpec;
  /** the figure whose interval decides whether more trials are needed: the first that a sample has */
  primary: readonly MetricId[];
  /** the figures worth a glance while the run goes on */
  glance(sample: Sample): string;
  plots: readonly PlotRequest[];
  /** metrics worth a verdict when runs are compared; the others explain */
  compared: readonly Compared[];
  /**
   * costs that answer the question by how they grow along the axis, the deciding one first, and the state of the server
   * that pays them; none where the question is another one
   */
  answers: readonly { metric: MetricId; when: string }[];
  /**
   * the figure whose gain along the axis is the answer, level by level over its near end, the levels of whom it is held against
   * under the same circumstances (left out: nobody), and the factor that names who chooses along the axis by itself, null where
   * nobody does; left out: the question is another one
   */
  gains?: { metric: MetricId; peer?: CellLevels; chosenBy: string };
  /** figures whose growth along the axis is modelled */
  modelled: readonly MetricId[];
  /** columns of the closing table: rates, and costs (of each the first that a series has) */
  closing: { rates: readonly MetricId[]; costs: readonly MetricId[] };
}

/** Experiments of any settings, as those see them that know none in particular. */
export type AnyExperiment = Experiment<never, never> & Experiment;

/** The profiles that all of these have. */
export const profilesOf = (all: readonly Pick<Experiment, 'profiles'>[]): ProfileName[] =>
  profileName.options.filter((name) =>
    all.every(({ profiles = ['quick', 'thesis', 'full'] }) => profiles.includes(name)),
  );

/** Keeps the types of one experiment together, and forgets them for the registry. */
export const experiment = <Settings, Cell extends CellLevels, const Id extends string>(
  declared: Experiment<Settings, Cell> & { id: Id },
): Experiment & { id: Id } => ({
  ...(declared as unknown as Experiment & { id: Id }),
  trial: (cell, settings, machine) =>
    declared.trial(declared.cell.parse(cell), settings as Settings, machine),
});
