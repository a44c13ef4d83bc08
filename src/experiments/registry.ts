/** Experiments. A new one is one file and one line here; flags, words, plots and verdicts follow from what it declares. */
import { changingLink } from './changing-link.js';
import { connectionMemory } from './connection-memory.js';
import { crossHost } from './cross-host.js';
import { dispatchCost } from './dispatch-cost.js';
import type { Experiment, Factor } from './experiment.js';
import { gatewayColdStart } from './gateway-cold-start.js';
import { gatewayInstances } from './gateway-instances.js';
import { gatewayLatency } from './gateway-latency.js';
import { gatewayResources } from './gateway-resources.js';
import { gatewayThroughput } from './gateway-throughput.js';
import { hotUpdate } from './hot-update.js';
import { idleConnections } from './idle-connections.js';
import { memory } from './memory.js';
import { memoryCodecs } from './memory-codecs.js';
import { offload } from './offload.js';
import { quorum } from './quorum.js';
import { rateRamp } from './rate-ramp.js';
import { streams } from './streams.js';
import { udpPorts } from './udp-ports.js';
import { wasmCalls } from './wasm-calls.js';
import { wasmEverywhere } from './wasm-everywhere.js';
import { wasmMemory } from './wasm-memory.js';

const all = [
  idleConnections,
  rateRamp,
  udpPorts,
  dispatchCost,
  connectionMemory,
  crossHost,
  gatewayColdStart,
  gatewayLatency,
  gatewayThroughput,
  gatewayResources,
  gatewayInstances,
  hotUpdate,
  wasmCalls,
  wasmMemory,
  wasmEverywhere,
  offload,
  streams,
  changingLink,
  quorum,
  memory,
  memoryCodecs,
] as const;

export type ExperimentId = (typeof all)[number]['id'];

export const experiments: readonly (Experiment & { id: ExperimentId })[] = all;

/** Experiments that are run together by one name. */
export const suites: Readonly<Record<string, { summary: string; ids: readonly ExperimentId[] }>> = {
  gateways: {
    summary:
      'what a gateway costs, native, in a container or with its logic in Wasm: the five experiments below in one run',
    ids: [
      'gateway-cold-start',
      'gateway-latency',
      'gateway-throughput',
      'gateway-resources',
      'gateway-instances',
    ],
  },
  'wasm-device': {
    summary:
      'what a Wasm module is on a device: what a call of it costs, what an instance takes, and whether it does the same everywhere',
    ids: ['wasm-calls', 'wasm-memory', 'wasm-everywhere'],
  },
};

/** What `run quick` (npm start) runs. */
export const quickStart: readonly ExperimentId[] = experiments.flatMap(({ id, quick }) =>
  quick ? [id] : [],
);

/** The experiment of that name; null: none, as in a run of another version. */
export const knownExperiment = (id: string): Experiment | null =>
  experiments.find((one) => one.id === id) ?? null;

/** @throws Error naming the known ones */
export function experimentNamed(id: string): Experiment {
  const found = knownExperiment(id);
  if (!found)
    throw new Error(`unknown experiment '${id}': known are ${experiments.map((one) => one.id).join(', ')}`);
  return found;
}

/** A factor in words, by whichever experiment has it. */
export const factorNamed = (factor: string): Factor | null =>
  experiments.find(({ factors }) => Object.hasOwn(factors, factor))?.factors[factor] ?? null;
