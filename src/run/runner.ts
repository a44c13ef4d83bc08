/** Runs a plan: blocks of trials until the intervals are narrow, the budget ends or the user interrupts. */
import { setTimeout as pause } from 'node:timers/promises';
import type { AbsentHost, Division, Plan, RunEvent, RunHost, RunInfo, StopReason } from '../contract/run.js';
import { type CellLevels, levelsKey, type Pinning, SCHEMA_VERSION } from '../contract/sample.js';
import type { Roles } from '../hosts/host.js';
import { counted } from '../number.js';
import type { RunFolder } from '../results/folder.js';
import { places } from '../stage/places.js';
import { interruptible } from '../stage/stage.js';
import { randomFrom } from '../statistics/random.js';
import { kindOf, metric } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { timingsIn } from './calibration.js';
import { checkout } from './checkout.js';
import { dividedCells } from './divided.js';
import { lanesOfHosts } from './lanes.js';
import { cellsOn, type PlannedCell } from './plan.js';
import { stopBeforeNextBlock, widestInterval } from './precision.js';
import { checkSameRun } from './resume.js';
import { block } from './schedule.js';
import { HostLost, type Outcome, runTogether, runTrial, type TrialContext, unmeasured } from './trial.js';

/** A disk that was full for a moment has room again; one that stays full is the user's to clear. */
export const writePausesMs: readonly number[] = [100, 1000, 5000, 20_000];

export interface RunRequest {
  plan: Plan;
  /** opened already, in the order of the plan's */
  hosts: readonly Roles[];
  /** those that could not be opened; left out: all could */
  absent?: readonly AbsentHost[];
  /** asked once the plan is known to be possible, so that a refused run leaves no folder behind */
  openFolder(): RunFolder;
  /** take up what the folder already holds */
  resume: boolean;
  argv: string[];
  /** cells with the same text are carried out one right after the other; left out: in any order */
  together?(cell: { levels: CellLevels }): string;
  on(event: RunEvent): void;
  /** how long to wait before each further attempt to write what the disk did not take, milliseconds */
  writePausesMs: readonly number[];
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

/** A host of the run, and which of its CPUs server and client get. */
interface Place {
  roles: Roles;
  pinning: Pinning;
  /** what was known of it when it last answered */
  known: Outcome | null;
  /** why it does not answer any more; null: it does */
  lost: string | null;
  /** places of one lane take turns */
  lane: number;
}

interface Possible extends PlannedCell {
  place: Place;
  key: string;
}

/** A cell and where in its block it stands. */
interface Scheduled {
  cell: Possible;
  position: number;
}

/** What is carried out at one time: cells that stand together, where the first of them stands in the order, or one alone. */
function units(order: readonly Scheduled[]): Scheduled[][] {
  const all = new Map<unknown, Scheduled[]>();
  for (const one of order) {
    const { trial, experiment, place } = one.cell;
    const together = kindOf(trial).together?.key(trial) ?? null;
    const unit = together === null ? one : `${experiment.id} ${place.roles.name} ${together}`;
    all.set(unit, [...(all.get(unit) ?? []), one]);
  }
  return [...all.values()];
}

/** What is open, by the lanes that it is carried out in. */
function byLane(open: readonly Scheduled[]): Scheduled[][] {
  const all = new Map<number, Scheduled[]>();
  for (const one of open) {
    const { lane } = one.cell.place;
    all.set(lane, [...(all.get(lane) ?? []), one]);
  }
  return [...all.values()];
}

const keyOf = (experiment: string, host: string, levels: CellLevels) =>
  `${experiment} ${host} ${levelsKey(levels)}`;

async function recordOf({ roles, pinning }: Place): Promise<RunHost> {
  const { server, client } = roles;
  const { environment, versions, addonDigest } = server.look;
  return {
    facts: server.facts,
    client: client.facts,
    environment,
    memoryCopy: await server.memoryCopy(),
    pinning,
    versions,
    addonDigest,
  };
}

/** run.json of a new run, or of the old one with this continuation noted. @throws Error when it is not the same run */
async function describe(
  request: RunRequest,
  places: readonly Place[],
  folder: RunFolder,
  limits: string[],
): Promise<RunInfo> {
  const { plan, argv } = request;
  const hosts: RunInfo['hosts'] = {};
  for (const place of places) {
    hosts[place.roles.name] = await recordOf(place);
    place.known = await unmeasured(place);
  }
  const now = new Date().toISOString();
  if (request.resume) {
    const before = folder.info();
    checkSameRun(before, hosts);
    return { ...before, plan, finishedAt: null, stopReason: null, resumed: [...before.resumed, now] };
  }
  return {
    schemaVersion: SCHEMA_VERSION,
    id: folder.id,
    startedAt: now,
    finishedAt: null,
    stopReason: null,
    resumed: [],
    argv,
    plan,
    limits,
    hosts,
    absent: [...(request.absent ?? [])],
    git: checkout(),
  };
}

/** The first of the experiment's deciding figures that the sample has. */
function primaryOf({ primary }: PlannedCell['experiment'], sample: Sample) {
  for (const id of primary) {
    const { of, unit } = metric(id);
    const value = of(sample);
    if (value !== null) return { metric: id, unit, value };
  }
  return null;
}

class Run {
  private readonly started = performance.now();
  private readonly places: readonly Place[];
  private possible: Possible[] = [];
  private refused: { cell: Possible; why: string }[] = [];
  private folder!: RunFolder;
  private samples: Sample[] = [];

  constructor(private readonly request: RunRequest) {
    const working = request.hosts.map((roles) => ({
      roles,
      pinning: places(roles.server.look, roles.client.look, roles.pin),
    }));
    // Who measures every cell on every host compares hosts, which nothing is to disturb.
    const lanes = request.plan.divide ? lanesOfHosts(working) : working.map(() => 0);
    this.places = working.map((one, at) => ({ ...one, known: null, lost: null, lane: lanes[at]! }));
    const twice = request.hosts.find(
      ({ name }, at) => request.hosts.findIndex((one) => one.name === name) < at,
    );
    if (twice)
      throw new Error(`two hosts of the run are called '${twice.name}': a figure would not say whose it is`);
    for (const place of this.places) {
      const here = <Cell extends PlannedCell>(cell: Cell): Possible => ({
        ...cell,
        place,
        key: keyOf(cell.experiment.id, place.roles.name, cell.levels),
      });
      const { possible, refused } = cellsOn(request.plan, place.roles);
      this.possible.push(...possible.map(here));
      this.refused.push(...refused.map(({ cell, why }) => ({ cell: here(cell), why })));
    }
    if (request.plan.divide) this.divideCells(request.plan.divide);
  }

  /** Each cell stays on one host. What trials take is a guess, so that none is refused for want of time. */
  private divideCells(division: Division): void {
    const of = (place: Place) => ({
      name: place.roles.name,
      lane: place.lane,
      possible: this.possible.filter((cell) => cell.place === place),
      refused: this.refused.filter(({ cell }) => cell.place === place),
    });
    const { possible, refused } = dividedCells(this.places.map(of), division, null);
    this.possible = possible;
    this.refused = refused;
  }

  private impossibilities(): string[] {
    return [...new Set(this.refused.map(({ why }) => why))];
  }

  /** @throws Error in one sentence when no cell can be measured */
  private requirePossible(): void {
    if (this.possible.length === 0)
      throw new Error(`nothing of this plan can run here: ${this.impossibilities().join('; ')}`);
  }

  /** The folder with what is known before the first trial. @throws Error in one sentence */
  private async prepare(): Promise<RunInfo> {
    const { folder } = this;
    const sentences = this.impossibilities();
    const info = await describe(this.request, this.places, folder, sentences);
    const cut = folder.repair();
    if (cut > 0) this.notice(`the last line of samples.ndjson was half-written: ${cut} bytes were cut off`);
    const { samples, refused } = folder.read();
    this.samples = samples;
    for (const { line, reason } of refused)
      this.notice(
        `line ${line} of samples.ndjson is left out (${reason}): what is missing is measured again`,
      );
    for (const sentence of sentences) this.notice(sentence);
    return info;
  }

  async go(): Promise<RunOutcome> {
    this.requirePossible();
    this.folder = this.request.openFolder();
    const unlock = await this.folder.lock();
    try {
      return await this.measure();
    } finally {
      unlock();
    }
  }

  private async measure(): Promise<RunOutcome> {
    const { plan, on } = this.request;
    const info = await this.prepare();
    const { folder } = this;
    await this.persistently('its record', () => folder.writeInfo(info));
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
    await this.recordImpossible();
    const reason = await this.blocks();
    const finished = { ...info, finishedAt: new Date().toISOString(), stopReason: reason };
    await this.persistently('that the run has ended', () => folder.writeInfo(finished));
    return { folder, reason, message: this.explain(reason), trials: this.tally(), elapsedMs: this.elapsed() };
  }

  private async blocks(): Promise<StopReason> {
    const { plan, signal, on } = this.request;
    for (let index = 0; ; index++) {
      if (signal.aborted) return 'interrupted';
      const order = block(this.possible, plan.seed, index, this.request.together);
      const done = new Set(this.samples.filter((one) => one.block === index).map(this.key));
      const open = order
        .map((cell, position) => ({ cell, position }))
        .filter(({ cell }) => !done.has(cell.key));
      if (open.length === 0) continue;
      const stop = stopBeforeNextBlock(plan, {
        blocks: index,
        precision: this.precision(),
        elapsedMs: this.elapsed(),
        blockMs: this.meanTrialMs() * Math.max(...byLane(open).map((lane) => lane.length)),
      });
      if (stop) return stop;
      if (this.places.every(({ lost }) => lost !== null)) return 'hosts';
      const ended = await this.inLanes(byLane(open), index);
      if (ended) return ended;
      on({ event: 'block-end', block: index, elapsedMs: this.elapsed(), precision: this.precision() });
    }
  }

  /**
   * Lanes work at one time, each in its order.
   * @returns why the block was not finished; null: it was
   * @throws what goes wrong in one of them, when all have ended their trial
   */
  private async inLanes(lanes: readonly (readonly Scheduled[])[], index: number): Promise<StopReason | null> {
    let failed = false;
    const work = async (lane: readonly Scheduled[]): Promise<StopReason | null> => {
      for (const unit of units(lane)) {
        if (failed) return null;
        if (index > 0 && this.elapsed() > this.request.plan.budgetMs) return 'budget';
        try {
          if (!(await this.carryOut(unit, index))) return 'interrupted';
        } catch (error) {
          failed = true;
          throw error;
        }
      }
      return null;
    };
    const endings = await Promise.allSettled(lanes.map(work));
    const fault = endings.find((one) => one.status === 'rejected');
    if (fault) throw fault.reason;
    const reasons = endings.flatMap((one) => (one.status === 'fulfilled' && one.value ? [one.value] : []));
    return reasons.find((one) => one === 'interrupted') ?? reasons[0] ?? null;
  }

  /** @returns false when it was interrupted */
  private async carryOut(unit: readonly Scheduled[], index: number): Promise<boolean> {
    try {
      const outcomes = await this.outcomes(unit, index);
      for (const [at, { cell, position }] of unit.entries()) {
        const sample = this.sample(cell, index, index * this.possible.length + position, outcomes[at]!);
        await this.keep(sample);
        this.request.on({
          event: 'trial-end',
          ...this.where(unit[at]!, index),
          status: sample.status,
          error: sample.error,
          gates: sample.gates.map(({ message }) => message),
          figures: cell.experiment.glance(sample),
          figure: sample.status === 'ok' ? primaryOf(cell.experiment, sample) : null,
          elapsedMs: this.elapsed(),
          durationMs: sample.durationMs,
        });
      }
      return true;
    } catch (error) {
      if (this.request.signal.aborted) return false;
      throw error;
    }
  }

  /** A host that was lost fails its trials, and the run goes on with the others. */
  private async outcomes(unit: readonly Scheduled[], index: number): Promise<Outcome[]> {
    const { place } = unit[0]!.cell;
    try {
      if (place.lost !== null) throw new HostLost(place.lost);
      return unit.length > 1 ? await this.together(unit, index) : [await this.alone(unit[0]!, index)];
    } catch (error) {
      const { known } = place;
      this.request.signal.throwIfAborted();
      if (!(error instanceof HostLost) || known === null) throw error;
      if (place.lost === null) {
        place.lost = error.message;
        this.notice(`host ${place.roles.name} was lost, its further trials fail: ${error.message}`);
      }
      const startedAt = new Date().toISOString();
      const failed = `the host was lost: ${error.message}`;
      return unit.map(() => ({ ...known, startedAt, machine: null, error: failed }));
    }
  }

  private alone(scheduled: Scheduled, index: number): Promise<Outcome> {
    const { cell } = scheduled;
    this.request.on({ event: 'trial-start', ...this.where(scheduled, index), elapsedMs: this.elapsed() });
    return runTrial(cell.trial, this.context(cell));
  }

  private together(unit: readonly Scheduled[], index: number): Promise<Outcome[]> {
    const [{ cell }] = unit as [Scheduled];
    const { plan, on } = this.request;
    const place = {
      block: index,
      experiment: cell.experiment.id,
      host: cell.place.roles.name,
      cells: unit.length,
    };
    const begins = (round: number, rounds: number) =>
      on({ event: 'round', ...place, round, rounds, elapsedMs: this.elapsed() });
    begins(0, 0);
    return runTogether(
      unit.map((one) => one.cell.trial),
      this.context(cell),
      randomFrom(`${plan.seed}/${index}/${place.experiment}`),
      begins,
    );
  }

  private where({ cell, position }: Scheduled, index: number) {
    const { experiment, levels, place } = cell;
    return {
      block: index,
      position: position + 1,
      experiment: experiment.id,
      host: place.roles.name,
      cell: levels,
    };
  }

  private context({ place }: Possible): TrialContext {
    const earlier = this.samples
      .filter((one) => one.status !== 'impossible' && one.host.name === place.roles.name)
      .flatMap(timingsIn);
    return { ...place, earlier, signal: this.request.signal };
  }

  private async recordImpossible(): Promise<void> {
    const known = new Set(this.samples.map(this.key));
    for (const { cell, why } of this.refused) {
      if (known.has(cell.key)) continue;
      const sample = this.sample(cell, 0, 0, {
        ...(cell.place.known ?? (await unmeasured(cell.place))),
        status: 'impossible',
        error: why,
      });
      await this.keep(sample);
    }
  }

  private async keep(sample: Sample): Promise<void> {
    const what = `the finished trial ${sample.experiment} ${levelsKey(sample.cell)} of block ${sample.block + 1}`;
    await this.persistently(what, () => this.folder.append(sample));
    this.samples.push(sample);
  }

  /**
   * A disk may be full for a moment only, so what could not be written is kept and tried again.
   * @throws Error in one sentence that names what is lost, when the disk stays as it is or somebody interrupts
   */
  private async persistently(what: string, write: () => void): Promise<void> {
    for (const pauseMs of [...this.request.writePausesMs, null]) {
      try {
        return write();
      } catch (error) {
        const { message } = error as Error;
        if (pauseMs === null || this.request.signal.aborted)
          throw new Error(
            `${message}; ${what} is lost, all before it is kept: make room and go on with --resume ${this.folder.id}`,
          );
        this.notice(`${message}; ${what} waits in memory and is written again in ${pauseMs / 1000} s`);
        await interruptible(this.request.signal, pause(pauseMs)).catch(() => {});
      }
    }
  }

  private sample(
    { experiment, levels }: Possible,
    index: number,
    sequence: number,
    outcome: Outcome,
  ): Sample {
    return {
      schemaVersion: SCHEMA_VERSION,
      experiment: experiment.id,
      cell: levels,
      block: index,
      sequence,
      ...outcome,
    };
  }

  private readonly key = (sample: Sample) => keyOf(sample.experiment, sample.host.name, sample.cell);

  private precision(): number | null {
    return widestInterval(
      this.remaining().map(({ key, experiment }) =>
        this.samples
          .filter((one) => one.status === 'ok' && this.key(one) === key)
          .flatMap((one) => primaryOf(experiment, one)?.value ?? []),
      ),
    );
  }

  /** Cells whose host still answers. */
  private remaining(): Possible[] {
    return this.possible.filter(({ place }) => place.lost === null);
  }

  private meanTrialMs(): number {
    const durations = this.samples
      .filter(({ status, durationMs }) => status !== 'impossible' && durationMs > 0)
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
      blocks: `stopped after ${counted(blocks.max, 'block')}, as many as the plan allows; ${widest} (target ${target})`,
      budget: `stopped because the time budget is used; ${widest} (target ${target})`,
      hosts: `stopped because no host is left: ${this.places.map(({ lost }) => lost).join('; ')}`,
      interrupted: 'interrupted; every finished trial is kept',
    }[reason];
  }
}

/** @throws Error in one sentence when the run cannot begin */
export function executeRun(request: RunRequest): Promise<RunOutcome> {
  return new Run(request).go();
}
