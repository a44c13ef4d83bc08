/** A Linux kernel that a package has installed here, for a guest, and its modules in the order in which they are loaded. */
import { execFileSync } from 'node:child_process';
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

export interface GuestKernel {
  release: string;
  /** path of its image */
  path: string;
  /** path of what it was configured with */
  config: string;
  /** path of the folder of its modules */
  modules: string;
}

const prefix = 'vmlinuz-';
const largestModule = 64 << 20;

/** The newest one of a flavour. @returns null when there is none */
export function findKernel(flavour: string, root = '/'): GuestKernel | null {
  const boot = join(root, 'boot');
  const releases = names(boot)
    .filter((name) => name.startsWith(prefix) && name.endsWith(`-${flavour}`))
    .map((name) => name.slice(prefix.length))
    .sort((one, other) => one.localeCompare(other, 'en', { numeric: true }));
  const release = releases.at(-1);
  if (release === undefined) return null;
  return {
    release,
    path: join(boot, `${prefix}${release}`),
    config: join(boot, `config-${release}`),
    modules: join(root, 'lib/modules', release),
  };
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}

const nameOf = (path: string) =>
  basename(path)
    .replace(/\.ko.*$/, '')
    .replaceAll('-', '_');

/**
 * Paths of these modules and of all that they need, each after what it needs itself.
 * @throws Error in one sentence when the kernel has no such module
 */
export function moduleFiles({ modules, release }: GuestKernel, wanted: readonly string[]): string[] {
  const rows = readFileSync(join(modules, 'modules.dep'), 'utf8').trim().split('\n');
  const needs = new Map(
    rows.map((row) => {
      const [path, needed] = row.split(':') as [string, string];
      return [path, needed.trim().split(/\s+/).filter(Boolean)] as const;
    }),
  );
  const paths = new Map([...needs.keys()].map((path) => [nameOf(path), path]));
  const found = new Set<string>();
  const visit = (path: string) => {
    // The last one of a row is loaded first.
    for (const needed of [...needs.get(path)!].reverse()) visit(needed);
    found.add(path);
  };
  for (const name of wanted) {
    const path = paths.get(name);
    if (path === undefined) throw new Error(`the kernel ${release} has no module ${name}`);
    visit(path);
  }
  return [...found].map((path) => join(modules, path));
}

/** A module as insmod takes it. Newer packages have them packed. */
export function moduleBytes(path: string): Buffer {
  if (!path.endsWith('.xz')) return readFileSync(path);
  return execFileSync('xz', ['--decompress', '--stdout', path], { maxBuffer: largestModule });
}

export const unpackedName = (path: string) => basename(path).replace(/\.xz$/, '');
