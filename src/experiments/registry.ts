/** Experiments by name. A new one is one file and one line here. */
import type { Experiment } from './experiment.js';
import { idleConnections } from './idle-connections.js';
import { rateRamp } from './rate-ramp.js';
import { udpPorts } from './udp-ports.js';

export const experiments: Record<string, Experiment> = {
  [idleConnections.id]: idleConnections as Experiment,
  [rateRamp.id]: rateRamp as Experiment,
  [udpPorts.id]: udpPorts as Experiment,
};

/** What figures of each are drawn along. */
export const axes: Readonly<Record<string, string>> = Object.fromEntries(
  Object.values(experiments).map(({ id, axis }) => [id, axis]),
);

/** What `run quick` (npm start) runs, in less than two minutes together. */
export const quickStart: readonly string[] = [idleConnections.id, udpPorts.id];

/** @throws Error naming the known ones */
export function experiment(id: string): Experiment {
  const found = Object.hasOwn(experiments, id) ? experiments[id] : undefined;
  if (!found) throw new Error(`unknown experiment '${id}': known are ${Object.keys(experiments).join(', ')}`);
  return found;
}
