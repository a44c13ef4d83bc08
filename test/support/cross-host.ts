/** A synthetic run of cross-host: hosts by class and system, each with its own cost and growth. Nothing of it is measured. */
import type { ExecutionClass } from '../../src/contract/common.js';
import type { HostFacts } from '../../src/contract/host.js';
import { randomFrom } from '../../src/statistics/random.js';
import type { Sample } from '../../src/trials/sample.js';
import { host, normal, syntheticSample } from './samples.js';

export interface SyntheticHost {
  name: string;
  executionClass?: ExecutionClass;
  transport?: HostFacts['transport'];
  kernel?: string;
  backend?: string;
  /** µs of CPU a request without standing descriptors */
  cpuUs: number;
  /** of the cost, from none to the most standing ones */
  growth: number;
}

export const levels = [0, 5000, 15_000] as const;

/** Every host in every block, TCP and UDP. */
export function crossHostRun(hosts: readonly SyntheticHost[], { trials = 5, noise = 0.005 } = {}): Sample[] {
  const random = randomFrom(3);
  const samples: Sample[] = [];
  for (let block = 0; block < trials; block++) {
    for (const { name, executionClass = 'native', transport = 'loopback', ...one } of hosts) {
      const { kernel = host.kernel, backend = 'epoll', cpuUs, growth } = one;
      const facts: HostFacts = { ...host, name, executionClass, transport, kernel };
      for (const traffic of ['tcp', 'udp']) {
        for (const standing of levels) {
          const grown = cpuUs * (1 + ((growth - 1) * standing) / 15_000) * (1 + noise * normal(random));
          const sample = syntheticSample({
            experiment: 'cross-host',
            cell: { backend, impl: 'native', traffic, standing },
            block,
            sequence: samples.length,
            // The open window of such a sample costs 1.4 times as much.
            cpuUs: grown / 1.4,
            medianLatency: Math.round((grown * 3) / 0.02) * 20,
          });
          const { open } = sample.measurements;
          samples.push({ ...sample, host: facts, clientHost: facts, measurements: { open: open! } });
        }
      }
    }
  }
  return samples;
}
