/** Plans that are over in a moment, for whole runs on a host. */
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

export function planIn(folder: string, experiment: string, settings: object): string {
  const path = join(folder, `${experiment}.json`);
  const plan = { seed: 1, blocks: { min: 1, max: 1 }, experiments: [{ experiment, settings }] };
  writeFileSync(path, JSON.stringify(plan));
  return path;
}

export const idle = {
  backends: ['poll', 'epoll'],
  impls: ['native', 'ts'],
  references: [],
  idle: [0, 20],
  connections: 4,
  closed: { warmupMs: 20, durationMs: 300 },
  open: { rate: 200, warmupMs: 20, durationMs: 300 },
  rounds: 0,
};
export const ports = {
  backends: ['poll', 'epoll'],
  impls: ['native', 'ts'],
  ports: [2, 30],
  rates: [400, null],
  warmupMs: 20,
  durationMs: 150,
  slowDurationMs: 150,
};
