/** The ramp itself: rate after rate, host after host, each step by whatever client is given. */

import type { Fleet, Part } from '../agent/fleet.js';
import type { SessionResult, SessionSpec } from '../contract/ramp.js';
import { readFact } from '../hosts/linux-facts.js';
import { type NetworkCounters, networkDifference, parseNetworkCounters } from '../hosts/network-counters.js';
import { monotonicNs, prepareStep } from './client.js';
import { type Ramp, rates, stepSpec } from './options.js';

export interface Measured {
  result: SessionResult;
  /** by client in the distributed case, else empty */
  parts: readonly Part[];
  /** why the step may not show the server's limit; one sentence each */
  problems: string[];
}

export type Measure = (spec: SessionSpec) => Promise<Measured>;

export interface RampStep {
  /** connections per second */
  rate: number;
  /** one per host */
  hosts: readonly Measured[];
}

/** This machine alone. */
export const measureHere =
  (ramp: Pick<Ramp, 'options' | 'httperf'>): Measure =>
  async (spec) => {
    const kind = ramp.options.client === 'httperf' ? 'httperf' : 'session';
    const step = prepareStep({ kind, spec }, { httperf: ramp.httperf });
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
    const hosts: Measured[] = [];
    for (const host of ramp.hosts) {
      const before = kernelCounters();
      const measured = await measure(stepSpec(ramp, host, rate));
      const after = kernelCounters();
      const dropped = before && after ? kernelProblems(networkDifference(before, after)) : [];
      hosts.push({ ...measured, problems: [...measured.problems, ...dropped] });
    }
    yield { rate, hosts };
  }
}

function kernelCounters(): NetworkCounters | null {
  const files = ['/proc/net/netstat', '/proc/net/snmp'].map(readFact);
  return files.includes(null) ? null : parseNetworkCounters(files.join('\n'));
}

/** Counters of this machine: those of a listen queue speak only of servers that run here. */
function kernelProblems(counters: NetworkCounters): string[] {
  const overflows = counters.listenOverflows + counters.listenDrops + counters.reqQFullDrop;
  return [
    ...(overflows > 0 ? [`the kernel dropped ${overflows} connection requests at a full listen queue`] : []),
    ...(counters.synRetransmits > 0
      ? [`${counters.synRetransmits} connection requests had to be sent again`]
      : []),
  ];
}
