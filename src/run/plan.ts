/** From what the user asked (profile, options, plan file) to a complete plan. */
import type { z } from 'zod';
import type { WantedHost } from '../contract/hosts-file.js';
import {
  type Division,
  type Plan,
  type PlannedExperiment,
  type ProfileName,
  planFile,
  plan as planSchema,
} from '../contract/run.js';
import type { CellLevels } from '../contract/sample.js';
import { validated } from '../contract/validated.js';
import { type Experiment, type Machine, machineOf, type Pace } from '../experiments/experiment.js';
import { experimentNamed } from '../experiments/registry.js';
import type { Roles } from '../hosts/host.js';
import { duration } from '../options.js';
import { impossible } from '../stage/limits.js';
import { kindOf, type TrialSpec } from '../trials/registry.js';
import { readWritten } from './written.js';

/** Block counts, precision and time budget that belong to a profile. */
export const pace: Record<ProfileName, Pace> = {
  quick: { budgetMs: 108_000, blocks: { min: 3, max: 20 }, precision: 0.05 },
  'report-2026': { budgetMs: 14_400_000, blocks: { min: 5, max: 5 }, precision: 0.03 },
  thesis: { budgetMs: 3_600_000, blocks: { min: 5, max: 20 }, precision: 0.03 },
  full: { budgetMs: 14_400_000, blocks: { min: 10, max: 30 }, precision: 0.02 },
};

/** The pace of experiments: each its own or the profile's, and of several the time of all and the most blocks. */
function paceOf(planned: readonly PlannedExperiment[]): Pace {
  const all = planned.map(({ experiment, profile, settings }) => ({
    own: experimentNamed(experiment).pace?.(profile, settings) ?? {},
    profile: pace[profile],
  }));
  const paces = all.map(({ own, profile }) => ({ ...profile, ...own }));
  const most = (of: (one: Pace) => number) => Math.max(...paces.map(of));
  return {
    // Those without one of their own share the profile's.
    budgetMs:
      all.reduce((sum, { own }) => sum + (own.budgetMs ?? 0), 0) +
      Math.max(
        0,
        ...all.flatMap(({ own, profile }) => (own.budgetMs === undefined ? [profile.budgetMs] : [])),
      ),
    blocks: { min: most(({ blocks }) => blocks.min), max: most(({ blocks }) => blocks.max) },
    precision: Math.min(...paces.map(({ precision }) => precision)),
  };
}

/** What the command line may change about a plan. */
export interface PlanOptions {
  profile?: ProfileName | undefined;
  seed?: number | undefined;
  budgetMs?: number | undefined;
  hosts?: readonly WantedHost[] | undefined;
  divide?: Division | undefined;
  /** settings of the experiment that replace the profile's */
  settings?: Record<string, unknown>;
}

const freshSeed = () => Math.floor(Math.random() * 0x1_0000_0000);

/**
 * Settings of a profile with `changes` laid over them, checked as a whole. Who names what is to be measured does not
 * get the profile's own references beside it.
 */
function completeSettings(found: Experiment, profile: ProfileName, changes: object, machine: Machine) {
  const own = found.profile(profile, machine) as object;
  const naming = found.flags.flatMap(({ setting, names }) => (names ? [setting] : []));
  const named = 'references' in own && naming.some((name) => name in changes);
  const settings = { ...own, ...(named ? { references: [] } : {}), ...changes };
  return validated(found.settings, settings, `settings of ${found.id}`) as Record<string, unknown>;
}

/** The built-in plan of some experiments. */
export function builtInPlan(
  name: string,
  ids: readonly string[],
  options: PlanOptions,
  machine: Machine,
): Plan {
  const profile = options.profile ?? 'quick';
  const experiments = ids.map((id) => ({
    experiment: id,
    profile,
    settings: completeSettings(experimentNamed(id), profile, options.settings ?? {}, machine),
  }));
  const plan = {
    name,
    seed: options.seed ?? freshSeed(),
    ...paceOf(experiments),
    ...(options.budgetMs === undefined ? {} : { budgetMs: options.budgetMs }),
    ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
    ...(options.divide === undefined ? {} : { divide: options.divide }),
    experiments,
  };
  return validated(planSchema, plan, 'the plan');
}

type PlanFile = z.infer<typeof planFile>;

/** A plan as a user wrote it, in YAML or JSON. @throws Error with one sentence */
export const readPlanFile = (path: string): PlanFile => readWritten(path, 'the plan', planFile) as PlanFile;

/** The same, complete. Options of the command line win over it. @param path for messages */
export function filePlan(
  { budget, ...written }: PlanFile,
  path: string,
  options: PlanOptions,
  machine: Machine,
): Plan {
  const experiments = written.experiments.map((planned) => ({
    ...planned,
    settings: completeSettings(
      experimentNamed(planned.experiment),
      planned.profile,
      { ...planned.settings, ...options.settings },
      machine,
    ),
  }));
  const budgetMs = options.budgetMs ?? (budget === undefined ? undefined : duration(budget) / 1e6);
  return validated(
    planSchema,
    {
      name: 'plan',
      seed: freshSeed(),
      ...paceOf(experiments),
      ...written,
      ...(options.seed === undefined ? {} : { seed: options.seed }),
      ...(budgetMs === undefined ? {} : { budgetMs }),
      ...(options.hosts === undefined ? {} : { hosts: options.hosts }),
      ...(options.divide === undefined ? {} : { divide: options.divide }),
      experiments,
    },
    `the plan ${path}`,
  );
}

/** One cell of a plan, ready to be run. */
export interface PlannedCell {
  experiment: Experiment;
  levels: CellLevels;
  trial: TrialSpec;
}

/** @param machine the one whose servers are measured */
export function plannedCells(plan: Plan, machine: Machine): PlannedCell[] {
  return plan.experiments.flatMap(({ experiment: id, settings }) => {
    const found = experimentNamed(id);
    return found
      .cells(settings, machine)
      .map((levels) => ({ experiment: found, levels, trial: found.trial(levels, settings, machine) }));
  });
}

/** The cells of a plan on a host: those that can be measured there, and the others with their reason. */
export function cellsOn(
  plan: Plan,
  { server, client }: Pick<Roles, 'server' | 'client'>,
): { possible: PlannedCell[]; refused: { cell: PlannedCell; why: string }[] } {
  const hosts = { server: server.look, client: client.look };
  const possible: PlannedCell[] = [];
  const refused: { cell: PlannedCell; why: string }[] = [];
  for (const cell of plannedCells(plan, machineOf(server.look))) {
    const why = impossible(kindOf(cell.trial).needs(cell.trial), hosts);
    if (why === null) possible.push(cell);
    else refused.push({ cell, why });
  }
  return { possible, refused };
}
