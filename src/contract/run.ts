/** A run: what run.json records, the plan as data, and the progress events of `run --json`. */
import { z } from 'zod';
import { count } from './common.js';
import { hostEnvironment, hostFacts, memoryCopy } from './host.js';
import { wantedHost } from './hosts-file.js';
import { cellLevels, identifier, pinning, SCHEMA_VERSION, sampleStatus } from './sample.js';

/** thesis, report-2026: as the study did that is repeated */
export const profileName = z.enum(['quick', 'thesis', 'report-2026', 'full']);
export type ProfileName = z.infer<typeof profileName>;

/** One experiment of a plan. Settings given in a plan file override the profile's; in run.json they are complete. */
export const plannedExperiment = z.strictObject({
  experiment: identifier,
  profile: profileName.default('quick'),
  settings: z.record(z.string(), z.unknown()).default({}),
});
export type PlannedExperiment = z.infer<typeof plannedExperiment>;

/**
 * How cells are divided among hosts. balanced: so that hosts end together, by what their trials take; round-robin: to one after
 * the other, in turn.
 */
export const division = z.enum(['balanced', 'round-robin']);
export type Division = z.infer<typeof division>;

/** What is to be run. A run's own plan is valid input for another run (`--plan`). */
export const plan = z.strictObject({
  name: z.string().regex(/^[\w.-]+$/, 'may hold letters, digits, dot, dash and underscore'),
  /** of the order of the trials; recorded, so that a schedule can be made again */
  seed: count.max(0xffff_ffff),
  /** the run starts nothing new after this time */
  budgetMs: z.number().positive(),
  /** complete blocks: at least min (budget permitting), at most max */
  blocks: z
    .strictObject({ min: count.min(1), max: count.min(1) })
    .refine(({ min, max }) => min <= max, 'min must not exceed max'),
  /** the run ends early once the 95 % interval of every cell's primary metric is within ± this share of its value */
  precision: z.number().positive(),
  /** where every cell is measured: by name and argument ('netns', 'ssh:NAME'; see src/hosts/registry.ts), or declared */
  hosts: z.array(wantedHost).min(1).default(['local']),
  /** each cell is measured on one of the hosts, and hosts without a CPU in common work at one time; left out: each on every host */
  divide: division.optional(),
  experiments: z.array(plannedExperiment).min(1),
});
export type Plan = z.infer<typeof plan>;

/** A plan as a user writes it: everything but the experiments has a default. */
export const planFile = plan.partial().required({ experiments: true }).extend({
  /** the budget in words: '90s', '10m', '2h' */
  budget: z.string().optional(),
});

/** Why a run took no further trial. */
export const stopReason = z.enum(['precision', 'blocks', 'budget', 'hosts', 'interrupted']);
export type StopReason = z.infer<typeof stopReason>;

/** One host of a run: server's side and client's side, which are the same where the host is this machine alone. */
export const runHost = z.object({
  facts: hostFacts,
  client: hostFacts,
  environment: hostEnvironment,
  memoryCopy,
  /** CPUs given to server and client in every trial */
  pinning,
  versions: z.record(z.string(), z.string()),
  /** sha256 (hex, first 16 characters) of the addon */
  addonDigest: z.string(),
});
export type RunHost = z.infer<typeof runHost>;

export const absentHost = z.object({
  host: z.string(),
  reason: z.string(),
  /** left out: somebody named it; true: it was one of all that there may be */
  unasked: z.boolean().optional(),
});
export type AbsentHost = z.infer<typeof absentHost>;

export const runInfo = z.object({
  schemaVersion: z.literal(SCHEMA_VERSION),
  /** name of the run's folder */
  id: z.string(),
  startedAt: z.string(),
  /** null while the run goes on, or when it was killed */
  finishedAt: z.string().nullable(),
  stopReason: stopReason.nullable(),
  /** times the run was taken up again with --resume */
  resumed: z.array(z.string()),
  argv: z.array(z.string()),
  plan,
  /** what the machine cannot do as asked, found before the sweep; one sentence each */
  limits: z.array(z.string()),
  /** by name, as in the samples */
  hosts: z.record(identifier, runHost),
  /** hosts that were wanted and could not be had, as they are written, and why in one sentence */
  absent: z.array(absentHost).default([]),
  git: z.object({ commit: z.string(), dirty: z.boolean() }).nullable(),
});
export type RunInfo = z.infer<typeof runInfo>;

/** Progress of a run, one JSON object a line under --json; the live view draws the same events. */
export const runEvent = z.discriminatedUnion('event', [
  z.object({
    event: z.literal('run-start'),
    run: z.string(),
    folder: z.string(),
    cells: count,
    impossible: count,
    blocks: z.object({ min: count, max: count }),
    budgetMs: z.number(),
    seed: count,
    /** trials found in the folder by --resume */
    kept: count,
  }),
  z.object({ event: z.literal('notice'), message: z.string() }),
  /** before the run starts: a host is being opened, is there, or cannot be had */
  z.object({
    event: z.literal('host'),
    host: z.string(),
    state: z.enum(['opening', 'up', 'absent']),
    reason: z.string().nullable(),
    elapsedMs: z.number(),
  }),
  z.object({
    event: z.literal('trial-start'),
    block: count,
    /** 1 for the first trial of the block */
    position: count,
    experiment: z.string(),
    host: z.string(),
    cell: cellLevels,
    elapsedMs: z.number(),
  }),
  /** trials that stand together: they are started (round 0), or the next round of windows over all of them begins */
  z.object({
    event: z.literal('round'),
    block: count,
    experiment: z.string(),
    host: z.string(),
    cells: count,
    round: count,
    rounds: count,
    elapsedMs: z.number(),
  }),
  z.object({
    event: z.literal('trial-end'),
    block: count,
    position: count,
    experiment: z.string(),
    host: z.string(),
    cell: cellLevels,
    status: sampleStatus,
    error: z.string().nullable(),
    gates: z.array(z.string()),
    /** the figures worth a glance, already worded */
    figures: z.string(),
    /** the one whose interval decides whether more trials are needed; null: the trial has none */
    figure: z.object({ metric: z.string(), unit: z.string(), value: z.number() }).nullable(),
    elapsedMs: z.number(),
    durationMs: z.number(),
  }),
  z.object({
    event: z.literal('block-end'),
    block: count,
    elapsedMs: z.number(),
    /** widest relative half-width of a primary metric over the cells; null while a cell has too few trials */
    precision: z.number().nullable(),
  }),
  /** what the blocks until now say of claims, where somebody watches */
  z.object({
    event: z.literal('verdicts'),
    block: count,
    verdicts: z.array(z.object({ claim: z.string(), verdict: z.string() })),
  }),
  z.object({
    event: z.literal('run-end'),
    run: z.string(),
    folder: z.string(),
    reason: stopReason,
    message: z.string(),
    trials: z.object({ ok: count, invalid: count, failed: count, impossible: count }),
    elapsedMs: z.number(),
    report: z.string().nullable(),
  }),
]);
export type RunEvent = z.infer<typeof runEvent>;
