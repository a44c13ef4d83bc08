/**
 * Throughput of wasimoff and of Serverledge beside it, as its evaluation published them (2023; brokers and providers on virtual
 * machines of the Hetzner cloud in Nuremberg and Falkenstein with two CPUs each, Locust as client, 180 s a row): requests per
 * second, and their median in milliseconds.
 */
export const wasimoffTestbed = 'virtual machines of two CPUs each in the Hetzner cloud, Locust for 180 s';

export interface OffloadReference {
  task: 'tsp-8' | 'tsp-10';
  /** machines with two CPUs each */
  machines: number;
  system: 'wasimoff' | 'serverledge';
  rate: number;
  p50Ms: number;
  failures: number;
}

const row = (
  machines: number,
  task: OffloadReference['task'],
  system: OffloadReference['system'],
  rate: number,
  p50Ms: number,
  failures: number,
): OffloadReference => ({ task, machines, system, rate, p50Ms, failures });

export const wasimoff2023: readonly OffloadReference[] = [
  row(4, 'tsp-8', 'wasimoff', 277.2, 230, 0),
  row(4, 'tsp-8', 'serverledge', 761.6, 16, 1376),
  row(4, 'tsp-10', 'wasimoff', 29.4, 1300, 0),
  row(4, 'tsp-10', 'serverledge', 28.2, 510, 299),
  row(8, 'tsp-8', 'wasimoff', 524.6, 120, 0),
  row(8, 'tsp-8', 'serverledge', 1149, 13, 409),
  row(8, 'tsp-10', 'wasimoff', 56.9, 1100, 0),
  row(8, 'tsp-10', 'serverledge', 42.4, 330, 297),
  row(16, 'tsp-8', 'wasimoff', 988.5, 61, 0),
  row(16, 'tsp-8', 'serverledge', 1701.4, 23, 112),
  row(16, 'tsp-10', 'wasimoff', 115.6, 530, 0),
  row(16, 'tsp-10', 'serverledge', 58.7, 250, 82),
  row(32, 'tsp-8', 'wasimoff', 1452.7, 40, 0),
  row(32, 'tsp-8', 'serverledge', 1838.8, 26, 4),
  row(32, 'tsp-10', 'wasimoff', 220.7, 270, 0),
  row(32, 'tsp-10', 'serverledge', 97.1, 250, 0),
];
