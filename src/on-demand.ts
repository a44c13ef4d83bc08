/** Packages that are installed when first asked for, to keep the default install light. */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { cacheFolder } from './cache.js';

export interface OnDemand {
  /** of its folder, and in messages */
  name: string;
  /** with exact versions */
  packages: readonly string[];
}

/** @returns where npm puts the package of 'name@version' */
const folderOf = (modules: string, spec: string) => join(modules, spec.slice(0, spec.lastIndexOf('@')));

/**
 * @param cache folder of all that was installed so
 * @returns the node_modules folder that holds the packages
 * @throws Error with one sentence when npm cannot bring them
 */
export function install(
  { name, packages }: OnDemand,
  say: (line: string) => void,
  cache = cacheFolder('on-demand'),
): string {
  const folder = join(cache, name);
  const modules = join(folder, 'node_modules');
  if (packages.every((spec) => existsSync(folderOf(modules, spec)))) return modules;
  say(`installing ${packages.join(' and ')} into ${folder} ...`);
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'package.json'), '{ "private": true }\n');
  const args = [
    'install',
    '--ignore-scripts',
    '--no-audit',
    '--no-fund',
    '--save-exact',
    '--fetch-retries=1',
    '--fetch-retry-mintimeout=1000',
  ];
  const done = spawnSync('npm', [...args, ...packages], { cwd: folder, encoding: 'utf8' });
  if (done.status === 0) return modules;
  const said =
    done.error?.message ?? done.stderr.split('\n').find((line) => /npm (error|ERR!)/.test(line)) ?? '';
  throw new Error(`${name} could not be installed; is the npm registry reachable? npm says: ${said.trim()}`);
}
