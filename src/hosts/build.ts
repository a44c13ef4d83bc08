/**
 * This machine over loopback, with servers of another build of the suite: clients and observers stay ours, so that two
 * builds are measured with one instrument.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { packageRoot } from '../addon.js';
import { identifier } from '../contract/sample.js';
import { fileDigest } from '../process.js';
import type { Host, HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { commandOf, type Installation } from './program.js';

const versionMs = 20_000;

/** What a server says, as JSON Schema: the contract between a build's servers and our runner. */
const contract = 'schemas/server-line.json';
const addon = 'build/Release/dispatchbench.node';
const needed = [
  'dist/servers/main.js',
  addon,
  'build/Release/dispatchbench-server',
  'bin/dispatchbench.js',
  contract,
];

interface Build {
  installation: Installation;
  version: string;
  addonDigest: string;
}

/** @throws Error in one sentence when no servers of ours can be started from there, or they would not be understood */
function lookAt(folder: string): Build {
  const root = resolve(folder);
  const missing = existsSync(root) ? needed.find((name) => !existsSync(join(root, name))) : 'such folder';
  if (missing !== undefined)
    throw new Error(
      `'${folder}' is no built checkout of dispatchbench: there is no ${missing} (npm run setup builds one)`,
    );
  const same = readFileSync(join(root, contract)).equals(readFileSync(join(packageRoot, contract)));
  if (!same)
    throw new Error(
      `the build in '${folder}' cannot be measured by this one: its servers report in another form (${contract} differs)`,
    );
  const installation: Installation = {
    node: process.execPath,
    scripts: join(root, 'dist'),
    cli: join(root, 'bin/dispatchbench.js'),
    native: (name) => join(root, 'build/Release', name),
  };
  return {
    installation,
    version: versionOf(folder, installation),
    addonDigest: fileDigest(join(root, addon)),
  };
}

/** Asks the build itself, so that one whose dependencies are missing is found out before anything is measured. */
function versionOf(folder: string, { node, cli }: Installation): string {
  try {
    return execFileSync(node, [cli, '--version'], {
      encoding: 'utf8',
      timeout: versionMs,
      stdio: ['ignore', 'pipe', 'pipe'],
    }).trim();
  } catch (error) {
    const said = `${(error as { stderr?: string }).stderr ?? ''}`
      .split('\n')
      .find((line) => /Error/.test(line));
    throw new Error(
      `the build in '${folder}' does not start: ${said?.trim() ?? (error as Error).message.split('\n')[0]}`,
    );
  }
}

/** Our host, but that programs are taken from the build. */
function withPrograms(host: ObservedHost, { installation, version, addonDigest }: Build): Host {
  const { look } = host;
  return {
    name: host.name,
    facts: host.facts,
    look: { ...look, addonDigest, versions: { ...look.versions, dispatchbench: version } },
    command: (program) => commandOf(program, installation),
    spawn: (name, command) => host.spawn(name, command),
    addressFor: (peer) => host.addressFor(peer),
    sources: host.sources,
    counters: host.counters,
    memory: host.memory,
    state: host.state,
    memoryCopy: host.memoryCopy,
    clock: () => host.clock(),
  };
}

/** @param name of figures taken here */
export async function openBuild(folder: string, name: string): Promise<Roles> {
  const build = lookAt(folder);
  const host = await ObservedHost.start({
    identity: { name, executionClass: 'native', transport: 'loopback' },
    address: '127.0.0.1',
  });
  return { name, server: withPrograms(host, build), client: host, close: () => host.stop() };
}

export const build: HostKind = {
  id: 'build',
  onlyWhenAsked: true,
  summary:
    'this machine, with servers of the build of dispatchbench at the path: build:PATH or build:NAME=PATH',
  unavailable: async () => null,
  async open(argument) {
    const [, name, folder] = /^(?:([^=/]+)=)?(.+)$/s.exec(argument ?? '') ?? [];
    if (!folder) throw new Error("the host 'build' needs the path of a build: build:PATH or build:NAME=PATH");
    const called = identifier.safeParse(name ?? `build-${basename(resolve(folder))}`);
    if (!called.success)
      throw new Error(`'${name ?? folder}' gives no name of a host: write build:NAME=PATH`);
    return openBuild(folder, called.data);
  },
};
