/**
 * What our programs need in order to run under another root folder: Node, the scripts, the packages that they import, the
 * addon, the native programs, the gateways as far as they are built, and the libraries that the linker finds for these. Linux
 * alone.
 */
import { spawnSync } from 'node:child_process';
import { randomUUID } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { addonPath, packageRoot } from '../addon.js';
import { keeper } from './keeper.js';
import type { Opened } from './opened.js';
import type { Installation } from './program.js';

/** Below the other root. */
const suite = '/opt/dispatchbench';
const node = '/usr/bin/node';
const built = `${suite}/build/Release`;

export const ownFilesInstallation: Installation = {
  node,
  scripts: `${suite}/dist`,
  cli: `${suite}/bin/dispatchbench.js`,
  native: (name) => `${built}/${name}`,
};

/** A file or a folder here, and the path that it gets there. */
export interface OwnFile {
  from: string;
  to: string;
}

/** What servers, clients and observers import. The command line needs more, and no program of ours needs it there. */
const packages = ['@commander-js/extra-typings', 'hdr-histogram-js', 'zod'];
const folders = ['dist/servers', 'dist/clients', 'dist/gateways', 'dist/src'];
const gateways = 'build/gateways';

/** Where npm has put a package: in ours, or in a folder above it when we are a dependency ourselves; undefined: nowhere. */
function folderOf(name: string, above = packageRoot): string | undefined {
  const folder = join(above, 'node_modules', name);
  if (existsSync(folder)) return folder;
  return dirname(above) === above ? undefined : folderOf(name, dirname(above));
}

/** @returns their folders by name */
function packageFolders(wanted: readonly string[], found = new Map<string, string>()): Map<string, string> {
  for (const name of wanted) {
    const folder = folderOf(name);
    if (found.has(name) || !folder) continue;
    found.set(name, folder);
    const { dependencies, peerDependencies } = JSON.parse(
      readFileSync(join(folder, 'package.json'), 'utf8'),
    ) as Record<'dependencies' | 'peerDependencies', Record<string, string> | undefined>;
    packageFolders(Object.keys({ ...dependencies, ...peerDependencies }), found);
  }
  return found;
}

/** Shared libraries of programs, the loader among them, by the paths at which they look for them. */
export function libraries(programs: readonly string[]): string[] {
  // One that is linked statically has none, and makes a failure of it.
  const { stdout } = spawnSync('ldd', programs, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
  const found = (stdout ?? '').matchAll(/(?:^|=>)\s+(\/\S+) \(0x/gm);
  return [...new Set([...found].map(([, path]) => path!))];
}

const isProgram = (name: string) => /^dispatchbench(-[a-z-]+|\.node)$/.test(name);

export function ownFiles(): OwnFile[] {
  const binaries = readdirSync(dirname(addonPath)).filter(isProgram);
  const programs = [
    { from: process.execPath, to: node },
    ...binaries.map((name) => ({ from: join(dirname(addonPath), name), to: `${built}/${name}` })),
  ];
  const gatewayPrograms = join(packageRoot, gateways, 'bin');
  const needed = libraries([
    ...programs.map(({ from }) => from),
    ...(existsSync(gatewayPrograms)
      ? readdirSync(gatewayPrograms).map((name) => join(gatewayPrograms, name))
      : []),
  ]);
  const kept = ['package.json', ...folders, ...(existsSync(gatewayPrograms) ? [gateways] : [])];
  return [
    ...programs,
    ...needed.map((path) => ({ from: path, to: path })),
    ...kept.map((path) => ({ from: join(packageRoot, path), to: `${suite}/${path}` })),
    ...[...packageFolders(packages)].map(([name, from]) => ({ from, to: `${suite}/node_modules/${name}` })),
  ];
}

/** @returns a folder that looks like the other root, of links to our files; it goes with the host */
export function linkedRoot(files: readonly OwnFile[], opened: Opened): string {
  const folder = join(tmpdir(), `dispatchbench-root-${randomUUID()}`);
  opened.keep(keeper([{ command: 'rm', args: ['-rf', folder] }]));
  for (const { from, to } of files) {
    mkdirSync(join(folder, dirname(to)), { recursive: true });
    symlinkSync(from, join(folder, to));
  }
  return folder;
}
