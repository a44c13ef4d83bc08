/** Figures by port, from those of the flows. Pure. */
import type { DgramResult, PortFigures } from '../contract/dgram.js';
import type { EngineFlow } from './engine.js';
import { listSpread } from './spread.js';

const sum = (flows: readonly EngineFlow[], figure: (flow: EngineFlow) => number) =>
  flows.reduce((total, flow) => total + figure(flow), 0);

export function portFigures(flows: readonly EngineFlow[]): PortFigures[] {
  const ports = new Map<number, EngineFlow[]>();
  for (const flow of flows) {
    const same = ports.get(flow.port);
    if (same) same.push(flow);
    else ports.set(flow.port, [flow]);
  }
  return [...ports].map(([port, same]) => {
    const received = sum(same, (flow) => flow.received);
    return {
      port,
      sent: sum(same, (flow) => flow.sent),
      received,
      mean: sum(same, (flow) => flow.latencySumNs) / Math.max(1, received) / 1e6,
      max: Math.max(...same.map((flow) => flow.latencyMaxNs)) / 1e6,
      jitter: sum(same, (flow) => flow.jitterNs) / same.length / 1e6,
    };
  });
}

function range(values: readonly number[]): DgramResult['portSpread']['mean'] {
  const { min, p50, max } = listSpread(values);
  return { min, median: p50, max };
}

/** How far the ports differ: of those something was sent to, and for times of those that answered. */
export function portSpread(ports: readonly PortFigures[]): DgramResult['portSpread'] {
  const asked = ports.filter((port) => port.sent > 0);
  return {
    mean: range(asked.filter((port) => port.received > 0).map((port) => port.mean)),
    received: range(asked.map((port) => port.received)),
    lossRate: range(asked.map((port) => 1 - port.received / port.sent)),
  };
}

/** RFC 3550, mean of the flows that had something to compare. */
export function meanJitterNs(flows: readonly EngineFlow[]): number {
  const heard = flows.filter((flow) => flow.received > 1);
  return sum(heard, (flow) => flow.jitterNs) / Math.max(1, heard.length);
}
