/**
 * Carries trials out, each on a stage of its own in fresh processes, one alone or several that stand at the same time,
 * and puts their samples together. Whatever goes wrong becomes a failed sample that says how.
 */
import type { HostState, MachineState } from '../contract/host.js';
import type { Pinning } from '../contract/sample.js';
import type { Roles } from '../hosts/host.js';
import { interruptible, Stage } from '../stage/stage.js';
import type { Random } from '../statistics/random.js';
import { kindOf, type Measurement, type TrialSpec } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { bestTimings, type Timings, timingsIn } from './calibration.js';
import { doubts } from './doubts.js';

/** What a trial adds to its cell and place in the schedule; one of several carried out together takes its share of the time. */
export type Outcome = Omit<Sample, 'schemaVersion' | 'experiment' | 'cell' | 'block' | 'sequence'>;

export interface TrialContext {
  roles: Roles;
  pinning: Pinning;
  /** what the machine's fixed pieces of work took around the trials so far */
  earlier: readonly Timings[];
  /** aborted: the trial is given up, its processes are ended and nothing is reported */
  signal: AbortSignal;
}

/** The host itself does not answer any more, so that none of its further trials can be measured. */
export class HostLost extends Error {}

async function stateOf({ roles }: Pick<TrialContext, 'roles'>): Promise<HostState> {
  try {
    return await roles.server.state();
  } catch (error) {
    throw new HostLost((error as Error).message);
  }
}

const machineIn = ({ event: _, load: __, ...machine }: HostState): MachineState => machine;

/**
 * What is known of the machine before a trial; also all that an impossible cell's sample holds.
 * @throws HostLost
 */
export async function unmeasured({
  roles,
  pinning,
}: Pick<TrialContext, 'roles' | 'pinning'>): Promise<Outcome> {
  const startedAt = new Date().toISOString();
  const state = await stateOf({ roles });
  return {
    startedAt,
    durationMs: 0,
    status: 'failed',
    error: null,
    gates: [],
    host: roles.server.facts,
    clientHost: roles.client.facts,
    server: null,
    serverProcesses: 0,
    pinning,
    awake: null,
    loadBefore: state.load,
    calibrationNs: state.calibration.spinNs,
    machine: { before: machineIn(state), after: null },
    measurements: {},
    network: null,
  };
}

/** One trial under way. */
interface Part {
  spec: TrialSpec;
  stage: Stage;
  measurements: Record<string, Measurement>;
  error: string | null;
}

/** A client whose server, or the link to it, is gone can only say that nobody answers. */
function explained({ message }: Error, stage: Stage): string {
  const ended = stage.roles.link?.ended() ?? stage.servers?.ended();
  return ended && !message.startsWith(ended) ? `${ended}; after that, ${message}` : message;
}

function partOf(spec: TrialSpec, { roles, pinning, signal }: TrialContext): Part {
  return { spec, stage: new Stage(roles, pinning, signal), measurements: {}, error: null };
}

/**
 * Lets `work` measure the parts, and doubts what it found; a part has failed when it says so, and all have when the work
 * does.
 * @throws the signal's reason when it was aborted
 */
async function outcomes(
  parts: readonly Part[],
  context: TrialContext,
  work: (parts: readonly Part[]) => Promise<void>,
): Promise<Outcome[]> {
  const started = performance.now();
  const base = await unmeasured(context);
  let network: Outcome['network'] = null;
  let link: Outcome['link'];
  try {
    // From here on it speaks of this trial.
    await context.roles.link?.report();
    await interruptible(context.signal, work(parts));
    network = await parts[0]!.stage.networkSince();
    link = await context.roles.link?.report();
  } catch (failure) {
    context.signal.throwIfAborted();
    for (const part of parts) part.error ??= explained(failure as Error, part.stage);
  } finally {
    await Promise.all(parts.map(({ stage }) => stage.endAll()));
  }
  const durationMs = (performance.now() - started) / parts.length;
  const measured = parts.some(({ error }) => error === null);
  let after: MachineState | null = null;
  try {
    after = measured ? machineIn(await stateOf(context)) : null;
  } catch (failure) {
    for (const part of parts) part.error ??= explained(failure as Error, part.stage);
  }
  return parts.map(({ stage, measurements, error }): Outcome => {
    const result = {
      ...base,
      machine: { before: base.machine!.before, after: error === null ? after : null },
      measurements,
      network,
      ...(link && { link }),
      server: stage.servers?.hellos[0] ?? null,
      serverProcesses: stage.servers?.hellos.length ?? 0,
      awake: stage.servers?.awake ?? null,
      error,
      durationMs,
    };
    if (error !== null) return result;
    const gates = doubts(result, bestTimings([...context.earlier, ...timingsIn(result)]));
    return { ...result, gates, status: gates.some(({ invalidates }) => invalidates) ? 'invalid' : 'ok' };
  });
}

/** @throws the signal's reason when it was aborted; anything else that goes wrong is in the sample */
export async function runTrial(spec: TrialSpec, context: TrialContext): Promise<Outcome> {
  const [outcome] = await outcomes([partOf(spec, context)], context, ([part]) =>
    kindOf(spec).carryOut(spec, part!.stage, (name, one) => {
      part!.measurements[name] = one;
    }),
  );
  return outcome!;
}

/**
 * Trials of one kind that are carried out together.
 * @param random of the order in which they are measured
 * @throws the signal's reason when it was aborted; anything else that goes wrong is in the samples
 */
export function runTogether(
  specs: readonly TrialSpec[],
  context: TrialContext,
  random: Random,
  round: (index: number, rounds: number) => void,
): Promise<Outcome[]> {
  const parts = specs.map((spec) => partOf(spec, context));
  const members = parts.map((part) => ({
    spec: part.spec,
    stage: part.stage,
    done(name: string, one: Measurement) {
      part.measurements[name] = one;
    },
    failed(error: Error) {
      part.error = explained(error, part.stage);
    },
  }));
  return outcomes(parts, context, () => kindOf(specs[0]!).together!.carryOut(members, random, round));
}
