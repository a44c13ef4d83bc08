/** A synthetic run of udp-ports as its full profile lays it out: the largest run the suite makes by itself. */

import type { RunInfo } from '../../src/contract/run.js';
import type { Machine } from '../../src/experiments/experiment.js';
import type { UdpPortsCell } from '../../src/experiments/udp-ports.js';
import { udpPorts } from '../../src/experiments/udp-ports.js';
import { type Random, randomFrom } from '../../src/statistics/random.js';
import type { Sample } from '../../src/trials/sample.js';
import { normal, runInfo, udpSample } from './samples.js';

/** Every backend that any one system has, and one more: 1216 cells. */
const machine: Machine = {
  available: ['select', 'select-posix', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot', 'kqueue'],
  nodeBackend: 'epoll',
  descriptorLimit: 20_000,
};

const profile = udpPorts.profile('full', machine);

/** Of a mechanism watching `ports`: µs per wait that scans them. */
const scan = (backend: string, ports: number) =>
  (({ select: 0.009, 'select-posix': 0.009, poll: 0.012 })[backend] ?? 0) * ports;

function trial({ backend, impl, ports, rate }: UdpPortsCell, block: number, random: Random): Sample {
  const cost = scan(`${backend}`, ports) + ({ baseline: 6.2, native: 6.4, ts: 7.1, libuv: 11 }[impl] ?? 0);
  const cpuUs = cost * (1 + 0.02 * normal(random));
  const median = (40 + 1.5 * cost) * 1000;
  const carried = 1e6 / cpuUs;
  const around = () => median * (1 + 0.1 * normal(random));
  return udpSample({
    backend: `${backend}`,
    impl,
    io: impl === 'ts' ? 'batch' : null,
    ports,
    offered: rate,
    block,
    // What is sent beyond what a CPU can carry costs it nothing.
    cpuUs: rate === null ? cpuUs : Math.min(cpuUs, 0.65e6 / rate),
    // Few different ones: a histogram each.
    medianLatency: Math.round(median / 5000) * 5000 + 5000 * (block % 3),
    lost: rate !== null && rate > carried ? Math.round(rate - carried) : 0,
    seconds: Array.from({ length: rate !== null && rate <= 100 ? 4 : 1 }, around),
  });
}

export function fullRun(trials = 10): Sample[] {
  const random = randomFrom(1);
  return Array.from({ length: trials }, (_, block) =>
    udpPorts.cells(profile, machine).map((cell) => trial(cell as UdpPortsCell, block, random)),
  ).flat();
}

export function fullRunInfo(): RunInfo {
  const info = runInfo('full');
  const experiments = [
    { experiment: udpPorts.id, profile: 'full' as const, settings: { ...(profile as object) } },
  ];
  return { ...info, argv: ['run', udpPorts.id, '--profile', 'full'], plan: { ...info.plan, experiments } };
}
