/**
 * Carries one trial out on a stage of its own, in fresh processes, and puts its sample together. Whatever goes wrong
 * becomes a failed sample that says how.
 */
import type { HostState, MachineState } from '../contract/host.js';
import type { Pinning } from '../contract/sample.js';
import type { Roles } from '../hosts/host.js';
import { interruptible, Stage } from '../stage/stage.js';
import { kindOf, type Measurement, type TrialSpec } from '../trials/registry.js';
import type { Sample } from '../trials/sample.js';
import { bestPace, type Pace, pacesIn } from './calibration.js';
import { doubts } from './doubts.js';

/** What a trial adds to its cell and place in the schedule. */
export type Outcome = Omit<Sample, 'schemaVersion' | 'experiment' | 'cell' | 'block' | 'sequence'>;

export interface TrialContext {
  roles: Roles;
  pinning: Pinning;
  /** the machine at its best in the trials so far; null before the first one */
  bestPace: Pace | null;
  /** aborted: the trial is given up, its processes are ended and nothing is reported */
  signal: AbortSignal;
}

const machineIn = ({ event: _, load: __, ...machine }: HostState): MachineState => machine;

/** What is known of the machine before a trial; also all that an impossible cell's sample holds. */
export async function unmeasured({
  roles,
  pinning,
}: Pick<TrialContext, 'roles' | 'pinning'>): Promise<Outcome> {
  const startedAt = new Date().toISOString();
  const state = await roles.server.state();
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

/** @throws Error when the trial cannot be finished; the measurements then hold what was learned before */
async function carryOut(spec: TrialSpec, stage: Stage, measurements: Record<string, Measurement>) {
  try {
    const work = kindOf(spec).carryOut(spec, stage, (name, one) => {
      measurements[name] = one;
    });
    await interruptible(stage.signal, work);
    return await stage.networkSince();
  } catch (error) {
    const ended = stage.servers?.ended();
    const { message } = error as Error;
    // A client whose server is gone can only say that nobody answers.
    throw ended && !message.startsWith(ended) ? new Error(`${ended}; after that, ${message}`) : error;
  } finally {
    await stage.endAll();
  }
}

/** @throws the signal's reason when it was aborted; anything else that goes wrong is in the sample */
export async function runTrial(spec: TrialSpec, context: TrialContext): Promise<Outcome> {
  const started = performance.now();
  const base = await unmeasured(context);
  const stage = new Stage(context.roles, context.pinning, context.signal);
  const measurements: Record<string, Measurement> = {};
  let error: string | null = null;
  let network: Outcome['network'] = null;
  try {
    network = await carryOut(spec, stage, measurements);
  } catch (failure) {
    context.signal.throwIfAborted();
    error = (failure as Error).message;
  }
  const after = error === null ? machineIn(await context.roles.server.state()) : null;
  const result = {
    ...base,
    machine: { before: base.machine!.before, after },
    measurements,
    network,
    server: stage.servers?.hellos[0] ?? null,
    serverProcesses: stage.servers?.hellos.length ?? 0,
    awake: stage.servers?.awake ?? null,
    error,
    durationMs: performance.now() - started,
  };
  if (error !== null) return result;
  const gates = doubts(
    result,
    bestPace([...(context.bestPace ? [context.bestPace] : []), ...pacesIn(result)]),
  );
  return { ...result, gates, status: gates.some(({ invalidates }) => invalidates) ? 'invalid' : 'ok' };
}
