/**
 * Runs: an experiment, several, or a plan, measured on one host or more, every sample kept in a folder.
 *
 *     import { run } from 'dispatchbench/run';
 *     import { writeReport } from 'dispatchbench/report';
 *
 *     const ended = await run({ experiment: 'idle-connections', settings: { idle: [0, 4000] }, onEvent: console.log });
 *     console.log(writeReport(ended.folder).report);
 *
 * A run starts and ends processes and pins them to CPUs; two at a time measure each other. The native part has to be there
 * (`dispatchbench build`).
 */
import type { z } from 'zod';
import type { DeclaredHost, WantedHost } from '../contract/hosts-file.js';
import {
  type AbsentHost,
  type Plan,
  type PlannedExperiment,
  type ProfileName,
  planFile,
  type RunEvent,
  type StopReason,
} from '../contract/run.js';
import type { SampleStatus } from '../contract/sample.js';
import { validated } from '../contract/validated.js';
import { machineOf, profilesOf } from '../experiments/experiment.js';
import { experiments as all, experimentNamed } from '../experiments/registry.js';
import { openWanted } from '../hosts/registry.js';
import { RunFolder } from '../results/folder.js';
import { RunHosts } from '../run/hosts.js';
import { builtInPlan, filePlan } from '../run/plan.js';
import { executeRun, writePausesMs } from '../run/runner.js';

export { readPlanFile } from '../run/plan.js';
export type {
  AbsentHost,
  DeclaredHost,
  Plan,
  PlannedExperiment,
  ProfileName,
  RunEvent,
  SampleStatus,
  StopReason,
  WantedHost,
};

/** A plan as people write it (`schemas/plan`): everything but its experiments has a default. */
export type PlanInput = z.input<typeof planFile>;

/** What can be measured. */
export interface ExperimentInfo {
  id: string;
  /** what it answers */
  question: string;
  profiles: readonly ProfileName[];
}

/** Every experiment of this version. */
export const experiments: readonly ExperimentInfo[] = all.map((one) => ({
  id: one.id,
  question: one.question,
  profiles: profilesOf([one]),
}));

export interface RunInput {
  /** ids of experiments; left out: those of the plan */
  experiment?: string | readonly string[];
  /** instead of an experiment */
  plan?: PlanInput;
  /** built-in plan of the experiments; quick when left out */
  profile?: ProfileName;
  /** settings that replace the profile's or the plan's, by name as in plans */
  settings?: Record<string, unknown>;
  /** where every cell is measured, as behind `--host`, or declared; this machine over loopback when left out */
  hosts?: readonly WantedHost[];
  /** of the order of trials, 0 to 2^32 - 1; chosen and recorded when left out */
  seed?: number;
  /** nothing new is started after this time, milliseconds; the profile's when left out */
  budgetMs?: number;
  /** folder of the runs; `results` when left out */
  out?: string;
  /** ends the run: the trial under way is given up, what has finished is kept */
  signal?: AbortSignal;
  /** the lines of `run --json` (`schemas/run-event`) but the last, whose content is the result; must not throw */
  onEvent?(event: RunEvent): void;
}

/** How a run ended. */
export interface RunEnd {
  /** its name */
  id: string;
  /** absolute path of its folder */
  folder: string;
  reason: StopReason;
  /** the reason in a sentence */
  message: string;
  /** how many trials ended how */
  trials: Record<SampleStatus, number>;
  /** hosts that were asked for and could not be had, and why */
  absent: readonly AbsentHost[];
  elapsedMs: number;
}

/** What the input asks for, complete once the machine is known. @throws Error in one sentence */
function planner(input: RunInput): {
  name: string;
  hosts: readonly WantedHost[];
  plan(machine: Machine): Plan;
} {
  const { experiment, profile, settings = {}, seed, budgetMs } = input;
  if ((experiment === undefined) === (input.plan === undefined))
    throw new Error("say what to run: either 'experiment' or 'plan'");
  const changes = { profile, settings, seed, budgetMs };
  if (input.plan !== undefined) {
    const written = validated(planFile, input.plan, 'plan');
    const hosts = input.hosts ?? written.hosts ?? ['local'];
    return {
      name: written.name ?? 'plan',
      hosts,
      plan: (machine) => filePlan(written, 'given', { ...changes, hosts }, machine),
    };
  }
  const ids = [experiment ?? []].flat();
  if (ids.length === 0) throw new Error("say what to run: 'experiment' is empty");
  ids.forEach(experimentNamed);
  const hosts = input.hosts ?? ['local'];
  const name = `${ids.join('-')}-${profile ?? 'quick'}`;
  return { name, hosts, plan: (machine) => builtInPlan(name, ids, { ...changes, hosts }, machine) };
}

type Machine = ReturnType<typeof machineOf>;

/**
 * Measures until the intervals are narrow enough, the budget or the blocks are used up, or the signal is aborted.
 * @returns also when trials failed or the run was interrupted: `trials` and `reason` say so
 * @throws Error in one sentence when the run cannot begin; the signal's reason when it was aborted before the first trial
 */
export async function run(input: RunInput): Promise<RunEnd> {
  const { onEvent = () => {}, signal = new AbortController().signal, out = 'results' } = input;
  const asked = planner(input);
  const hosts = new RunHosts();
  try {
    await hosts.open(asked.hosts, openWanted, onEvent, signal);
    const { folder, ...ending } = await executeRun({
      plan: asked.plan(machineOf(hosts.opened[0]!.server.look)),
      hosts: hosts.opened,
      absent: hosts.absent,
      openFolder: () => RunFolder.create(out, asked.name),
      resume: false,
      argv: [],
      on: onEvent,
      writePausesMs,
      signal,
    });
    return { id: folder.id, folder: folder.path, ...ending, absent: [...hosts.absent] };
  } finally {
    await hosts.close();
  }
}
