/** The ramp itself: rate after rate, host after host, each step by whatever client is given. */
import type { NetworkCounters } from '../contract/host.js';
import type { SessionResult, SessionSpec } from '../contract/ramp.js';
import { counters } from '../hosts/machine.js';
import { networkDifference } from '../hosts/network-counters.js';
import { prepareStep, type Start } from './client.js';
import type { Fleet, Part } from './fleet.js';
import { type Ramp, rates, stepSpec } from './options.js';

export interface StepMeasured {
  result: SessionResult;
  /** by client in the distributed case, else empty */
  parts: readonly Part[];
  /** why the step may not show the server's limit; one sentence each */
  problems: string[];
}

export type Measure = (spec: SessionSpec) => Promise<StepMeasured>;

export interface RampStep {
  /** connections per second */
  rate: number;
  /** one per host */
  hosts: readonly StepMeasured[];
}

/** Where a single client runs. */
export interface Place {
  start: Start;
  /** this instant on the clock there, nanoseconds */
  now(): Promise<number>;
  /** CPUs of the client; empty: any */
  cpus: readonly number[];
}

/** One client alone. A real httperf runs on this machine, wherever the place is. */
export const measureAlone =
  (ramp: Pick<Ramp, 'options' | 'httperf'>, { start, now, cpus }: Place): Measure =>
  async (spec) => {
    const kind = ramp.options.client === 'httperf' ? 'httperf' : 'session';
    const placed = { ...spec, cpus: [...cpus] };
    const step = prepareStep({ kind, spec: placed }, start, { httperf: ramp.httperf });
    await step.ready;
    step.start(await now());
    const result = await step.result;
    return { result, parts: [], problems: result.detail?.saturation ?? [] };
  };

/** Several machines as one client. @throws Error when none of them measured anything */
export const measureWithFleet =
  (ramp: Pick<Ramp, 'options'>, fleet: Fleet): Measure =>
  async (spec) => {
    const { result, parts, problems } = await fleet.run(
      ramp.options.client === 'httperf' ? 'httperf' : 'session',
      spec,
    );
    if (!result) throw new Error(`no client measured this step: ${problems.join('; ')}`);
    return { result, parts, problems };
  };

const networkHere = async (): Promise<NetworkCounters | null> => counters().network;

/**
 * @param network counters of the host that may hold the server; this machine's when left out
 * @throws Error in one sentence when a step cannot be measured; the steps before it have been yielded
 */
export async function* runRamp(
  ramp: Ramp,
  measure: Measure,
  network = networkHere,
): AsyncGenerator<RampStep> {
  for (const rate of rates(ramp.options)) {
    const hosts: StepMeasured[] = [];
    for (const host of ramp.hosts) {
      const before = await network();
      const measured = await measure(stepSpec(ramp, host, rate));
      const after = await network();
      const dropped = before && after ? kernelProblems(networkDifference(before, after)) : [];
      hosts.push({ ...measured, problems: [...measured.problems, ...dropped] });
    }
    yield { rate, hosts };
  }
}

/** Counters of one host: those of a listen queue speak only of servers that run there. */
function kernelProblems(seen: NetworkCounters): string[] {
  const overflows = seen.listenOverflows + seen.listenDrops + seen.reqQFullDrop;
  return [
    ...(overflows > 0 ? [`the kernel dropped ${overflows} connection requests at a full listen queue`] : []),
    ...(seen.synRetransmits > 0 ? [`${seen.synRetransmits} connection requests had to be sent again`] : []),
  ];
}
