/** Runs a plan: blocks of trials until the intervals are narrow, the budget ends or the user interrupts. */
import { levelsKey } from '../analysis/cells.js';
import type { Plan, RunEvent, RunInfo, StopReason } from '../contract/run.js';
import type { CellLevels, Sample } from '../contract/sample.js';
import type { Host } from '../hosts/host.js';
import { surroundings } from './environment.js';
import type { RunFolder } from './folder.js';
import { impossible, type Limits, machineOf } from './limits.js';
import type { Pinning } from './pinning.js';
import { type PlannedCell, plannedCells } from './plan.js';
import { stopBeforeNextBlock, widestInterval } from './precision.js';
import type { Programs } from './programs.js';
import { checkSameRun } from './resume.js';
import { block } from './schedule.js';
import { runTrial, unmeasured } from './trial.js';

export interface RunRequest {
  plan: Plan;
  limits: Limits;
  host: Host;
  programs: Programs;
  pinning: Pinning;
  /** asked once the plan is known to be possible, so that a refused run leaves no folder behind */
  openFolder(): RunFolder;
  /** take up what the folder already holds */
  resume: boolean;
  argv: string[];
  on(event: RunEvent): void;
  /** aborted: the trial in flight is given up, everything finished is kept */
  signal: AbortSignal;
}

export interface RunOutcome {
  folder: RunFolder;
  reason: StopReason;
  message: string;
  trials: Record<Sample['status'], number>;
  elapsedMs: number;
}

interface Possible extends PlannedCell {
  key: string;
}

const keyOf = (experiment: string, levels: CellLevels) => `${experiment} ${levelsKey(levels)}`;

/** run.json of a new run, or of the old one with this continuation noted. @throws Error when it is not the same run */
function describe(request: RunRequest, folder: RunFolder, limits: string[]): RunInfo {
  const { plan, host, pinning, argv } = request;
  const around = surroundings(request.limits);
  const now = new Date().toISOString();
  if (request.resume) {
    const before = folder.info();
    checkSameRun(before, { ...around, host: host.facts() });
    return { ...before, plan, finishedAt: null, stopReason: null, resumed: [...before.resumed, now] };
  }
  return {
    schemaVersion: 1,
    id: folder.id,
    startedAt: now,
    finishedAt: null,
    stopReason: null,
    resumed: [],
    argv,
    plan,
    limits,
    host: host.facts(),
    memoryCopy: host.memoryCopy(),
    pinning: { server: pinning.server, client: pinning.client },
    ...around,
  };
}

class Run {
  private readonly started = performance.now();
  private readonly folder: RunFolder;
  private readonly samples: Sample[];
  private readonly possible: Possible[] = [];
  private readonly refused: { cell: Possible; why: string }[] = [];
  private readonly info: RunInfo;

  constructor(private readonly request: RunRequest) {
    const { plan, limits, openFolder, resume } = request;
    for (const cell of plannedCells(plan, machineOf(limits))) {
      const keyed = { ...cell, key: keyOf(cell.experiment.id, cell.levels) };
      const why = impossible(cell.trial, limits);
      if (why === null) this.possible.push(keyed);
      else this.refused.push({ cell: keyed, why });
    }
    const sentences = [...new Set(this.refused.map(({ why }) => why))];
    if (this.possible.length === 0)
      throw new Error(`nothing of this plan can run here: ${sentences.join('; ')}`);
    this.folder = openFolder();
    this.info = describe(request, this.folder, sentences);
    if (resume) {
      const cut = this.folder.repair();
      if (cut > 0) this.notice(`the last line of samples.ndjson was half-written: ${cut} bytes were cut off`);
    }
    this.samples = this.folder.samples();
    for (const sentence of sentences) this.notice(sentence);
  }

  async go(): Promise<RunOutcome> {
    const { plan, on } = this.request;
    const { folder } = this;
    folder.writeInfo(this.info);
    on({
      event: 'run-start',
      run: folder.id,
      folder: folder.path,
      cells: this.possible.length,
      impossible: this.refused.length,
      blocks: plan.blocks,
      budgetMs: plan.budgetMs,
      seed: plan.seed,
      kept: this.samples.length,
    });
    this.recordImpossible();
    const reason = await this.blocks();
    folder.writeInfo({ ...this.info, finishedAt: new Date().toISOString(), stopReason: reason });
    return { folder, reason, message: this.explain(reason), trials: this.tally(), elapsedMs: this.elapsed() };
  }

  private async blocks(): Promise<StopReason> {
    const { plan, signal, on } = this.request;
    for (let index = 0; ; index++) {
      if (signal.aborted) return 'interrupted';
      const order = block(this.possible, plan.seed, index);
      const done = new Set(this.samples.filter((one) => one.block === index).map(this.key));
      const open = order
        .map((cell, position) => ({ cell, position }))
        .filter(({ cell }) => !done.has(cell.key));
      if (open.length === 0) continue;
      const stop = stopBeforeNextBlock(plan, {
        blocks: index,
        precision: this.precision(),
        elapsedMs: this.elapsed(),
        blockMs: this.meanTrialMs() * open.length,
      });
      if (stop) return stop;
      for (const { cell, position } of open) {
        if (index > 0 && this.elapsed() > plan.budgetMs) return 'budget';
        if (!(await this.trial(cell, index, position))) return 'interrupted';
      }
      on({ event: 'block-end', block: index, elapsedMs: this.elapsed(), precision: this.precision() });
    }
  }

  /** @returns false when the trial was interrupted */
  private async trial(cell: Possible, index: number, position: number): Promise<boolean> {
    const { host, programs, pinning, signal, on } = this.request;
    const { experiment, levels } = cell;
    const where = { block: index, position: position + 1, experiment: experiment.id, cell: levels };
    on({ event: 'trial-start', ...where, elapsedMs: this.elapsed() });
    const calibrations = this.samples
      .filter(({ status }) => status !== 'impossible')
      .map((one) => one.calibrationNs);
    const bestCalibrationNs = calibrations.length > 0 ? Math.min(...calibrations) : null;
    try {
      const measured = await runTrial(cell.trial, { host, programs, pinning, bestCalibrationNs, signal });
      const sample = this.sample(cell, index, index * this.possible.length + position, measured);
      this.folder.append(sample);
      this.samples.push(sample);
      on({
        event: 'trial-end',
        ...where,
        status: sample.status,
        error: sample.error,
        gates: sample.gates.map(({ message }) => message),
        figures: experiment.figures(sample),
        elapsedMs: this.elapsed(),
        durationMs: sample.durationMs,
      });
      return true;
    } catch (error) {
      if (signal.aborted) return false;
      throw error;
    }
  }

  private recordImpossible(): void {
    const known = new Set(this.samples.map(this.key));
    for (const { cell, why } of this.refused) {
      if (known.has(cell.key)) continue;
      const sample = this.sample(cell, 0, 0, {
        ...unmeasured(this.request),
        status: 'impossible',
        error: why,
      });
      this.folder.append(sample);
      this.samples.push(sample);
    }
  }

  private sample(
    { experiment, levels }: Possible,
    index: number,
    sequence: number,
    measured: ReturnType<typeof unmeasured>,
  ): Sample {
    return { schemaVersion: 1, experiment: experiment.id, cell: levels, block: index, sequence, ...measured };
  }

  private readonly key = (sample: Sample) => keyOf(sample.experiment, sample.cell);

  private precision(): number | null {
    return widestInterval(
      this.possible.map(({ key, experiment }) =>
        this.samples
          .filter((one) => one.status === 'ok' && this.key(one) === key)
          .map(experiment.primary)
          .filter((value) => value !== null),
      ),
    );
  }

  private meanTrialMs(): number {
    const durations = this.samples
      .filter(({ status }) => status !== 'impossible')
      .map((one) => one.durationMs);
    return durations.length > 0 ? durations.reduce((sum, ms) => sum + ms, 0) / durations.length : 0;
  }

  private elapsed(): number {
    return performance.now() - this.started;
  }

  private tally(): RunOutcome['trials'] {
    const trials = { ok: 0, invalid: 0, failed: 0, impossible: 0 };
    for (const { status } of this.samples) trials[status]++;
    return trials;
  }

  private notice(message: string): void {
    this.request.on({ event: 'notice', message });
  }

  private explain(reason: StopReason): string {
    const { blocks, precision } = this.request.plan;
    const target = `±${precision * 100} %`;
    const reached = this.precision();
    const widest =
      reached === null
        ? 'some cells have too few valid trials for an interval'
        : `the widest interval is ±${(reached * 100).toFixed(1)} %`;
    return {
      precision: `stopped because every interval is within ${target}`,
      blocks: `stopped after ${blocks.max} blocks, as many as the plan allows; ${widest} (target ${target})`,
      budget: `stopped because the time budget is used; ${widest} (target ${target})`,
      interrupted: 'interrupted; every finished trial is kept',
    }[reason];
  }
}

/** @throws Error in one sentence when the run cannot begin */
export function executeRun(request: RunRequest): Promise<RunOutcome> {
  return new Run(request).go();
}
