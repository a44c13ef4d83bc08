/** Our native programs for other systems: native/targets.json says which there can be, scripts/cross.mjs makes them. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { z } from 'zod';
import { inCheckout, packageRoot } from '../installation.js';

const target = z.object({
  name: z.string(),
  /** as `uname -s` prints it */
  system: z.string(),
  /** as `uname -m` prints it */
  machines: z.array(z.string()),
  /** its programs are linked, not compiled alone */
  link: z.boolean(),
});

const targets = () =>
  z.array(target).parse(JSON.parse(readFileSync(join(packageRoot, 'native/targets.json'), 'utf8')));

/** What serves and measures by itself, and what starts and observes that. */
const carried = [
  'dispatchbench-bare',
  'dispatchbench-server',
  'dispatchbench-baseline',
  'dispatchbench-dispatch-cost',
];

/** Archives hold programs that are linked with all that they need. */
const mostBytes = 64 << 20;

/**
 * @param system as `uname -s` prints it
 * @param machine as `uname -m` prints it
 * @returns their paths
 * @throws Error in one sentence when there are none for such a machine, or they have not been built
 */
export function carriedPrograms(system: string, machine: string): string[] {
  const linked = targets().filter(({ link }) => link);
  const found = linked.find((one) => one.system === system && one.machines.includes(machine));
  if (!found)
    throw new Error(
      `our programs are not built for ${system} on ${machine}: they are for ${linked.map(({ name }) => name).join(', ')}`,
    );
  const programs = carried.map((name) => join(packageRoot, 'build/cross', found.name, name));
  if (!programs.every(existsSync))
    throw new Error(
      `our programs for ${found.name} are not there: npm run build:cross -- ${found.name}${inCheckout ? '' : ' makes them, in a checkout'}`,
    );
  return programs;
}

/** Whether there are programs for some machine of that system. */
export const carriedTo = (system: string): boolean =>
  targets().some((one) => one.link && one.system === system);

/** One archive of files of one folder, as tar(1) of any system reads it. */
export const archiveOf = (files: readonly string[]): Buffer =>
  execFileSync('tar', ['-cf', '-', '-C', dirname(files[0]!), ...files.map((path) => basename(path))], {
    maxBuffer: mostBytes,
  });
