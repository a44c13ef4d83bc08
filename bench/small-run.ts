/** A run of a few cells, by the command itself. */
import { spawnSync } from 'node:child_process';
import { readdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

export interface SmallRun {
  name: string;
  experiment: string;
  settings: object;
  blocks: number;
}

/** @returns the run's folder, below `folder` */
export function runSmall(folder: string, { name, experiment, settings, blocks }: SmallRun): string {
  const plan = join(folder, `${name}.json`);
  const experiments = [{ experiment, settings }];
  writeFileSync(
    plan,
    JSON.stringify({ name, budget: '1h', blocks: { min: blocks, max: blocks }, experiments }),
  );
  const out = join(folder, name);
  const args = ['bin/dispatchbench.js', 'run', experiment, '--plan', plan, '--out', out, '--quiet'];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: 'utf8' });
  if (status !== 0) throw new Error(`the run failed: ${stderr}`);
  return join(out, readdirSync(out)[0]!);
}
