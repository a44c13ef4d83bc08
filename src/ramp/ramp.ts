/** The ramp itself: rate after rate, host after host, each step by whatever client is given. */
import type { NetworkCounters } from '../contract/host.js';
import type { SessionResult, SessionSpec } from '../contract/ramp.js';
import { startHere } from '../hosts/local.js';
import { counters } from '../hosts/machine.js';
import { networkDifference } from '../hosts/network-counters.js';
import { monotonicNs } from '../process.js';
import { prepareStep } from './client.js';
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

/** This machine alone. */
export const measureHere =
  (ramp: Pick<Ramp, 'options' | 'httperf'>): Measure =>
  async (spec) => {
    const kind = ramp.options.client === 'httperf' ? 'httperf' : 'session';
    const step = prepareStep({ kind, spec }, startHere, { httperf: ramp.httperf });
    await step.ready;
    step.start(monotonicNs());
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

/** @throws Error in one sentence when a step cannot be measured; the steps before it have been yielded */
export async function* runRamp(ramp: Ramp, measure: Measure): AsyncGenerator<RampStep> {
  for (const rate of rates(ramp.options)) {
    const hosts: StepMeasured[] = [];
    for (const host of ramp.hosts) {
      const before = counters().network;
      const measured = await measure(stepSpec(ramp, host, rate));
      const after = counters().network;
      const dropped = before && after ? kernelProblems(networkDifference(before, after)) : [];
      hosts.push({ ...measured, problems: [...measured.problems, ...dropped] });
    }
    yield { rate, hosts };
  }
}

/** Counters of this machine: those of a listen queue speak only of servers that run here. */
function kernelProblems(seen: NetworkCounters): string[] {
  const overflows = seen.listenOverflows + seen.listenDrops + seen.reqQFullDrop;
  return [
    ...(overflows > 0 ? [`the kernel dropped ${overflows} connection requests at a full listen queue`] : []),
    ...(seen.synRetransmits > 0 ? [`${seen.synRetransmits} connection requests had to be sent again`] : []),
  ];
}
