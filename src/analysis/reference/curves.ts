/** Published figures as curves that fit an axis of ours: drawn as grey marks, never used in a verdict of a run. */
import { citedWork } from '../../claims/bibliography.js';
import type { CellLevels } from '../../contract/sample.js';
import { autobench2012 } from './autobench-2012.js';
import { gatewayConnections, gatewayTestbed, gatewayThroughput } from './gateways-2026.js';

export interface ReferenceCurve {
  name: string;
  testbed: string;
  experiment: string;
  metric: string;
  factor: string;
  /** factor levels a series of ours must have to stand beside it */
  levels: CellLevels;
  points: readonly { x: number; y: number }[];
}

export const referenceCurves: readonly ReferenceCurve[] = [
  {
    name: `${citedWork('dispatch-thesis')}, table 4.9`,
    testbed: 'epoll, Linux 2.6.32 guest on VMware ESX, httperf',
    experiment: 'rate-ramp',
    metric: 'reply-rate',
    factor: 'rate',
    levels: {},
    points: autobench2012.map(({ offered, replies }) => ({ x: offered, y: replies.avg })),
  },
  ...Object.entries(gatewayThroughput).flatMap(([workload, variants]) =>
    Object.entries(variants).map(([variant, rates]) => ({
      name: `${variant}, ${citedWork('gateway-report')}`,
      testbed: gatewayTestbed,
      experiment: 'gateway-throughput',
      metric: 'throughput',
      factor: 'connections',
      levels: { workload, client: 'wrk', impl: variant },
      points: gatewayConnections.map((x, i) => ({ x, y: rates[i]! })),
    })),
  ),
];
