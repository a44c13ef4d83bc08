/**
 * The daemon that containers are asked of: the one that answers, or one of our own. Ours lives in namespaces of its own,
 * so that its bridge, firewall rules, mounts and processes are removed by the kernel with them, and keeps its data in
 * memory there. What it makes outside of them, folders of control groups, a keeper removes.
 */
import { execFile } from 'node:child_process';
import { realpathSync, writeFileSync } from 'node:fs';
import { setTimeout as pause } from 'node:timers/promises';
import { promisify } from 'node:util';
import { Child } from './child.js';
import { keeper } from './keeper.js';
import { Namespaces } from './namespaces.js';
import type { Opened } from './opened.js';
import type { Command } from './program.js';
import { whereIs } from './where-is.js';

const run = promisify(execFile);

const startMs = 30_000;
const graceMs = 1000;

export class Daemon {
  /** @param versions of what runs the containers */
  constructor(
    readonly isOurs: boolean,
    readonly docker: (...args: string[]) => Command,
    /** turns a command into one on the network that the daemon's bridge is on */
    readonly enterNetwork: (command: Command) => Command,
    readonly versions: Record<string, string>,
    /** the control group that all its containers are in; null: not known */
    readonly group: string | null = null,
    /** the namespace of processes that it and they are in, as a file; null: not known */
    readonly processes: string | null = null,
  ) {}

  /** Whether a container of its may have this file or folder of this machine at another place. */
  reaches = (path: string): boolean => this.isOurs && !realpathSync(path).startsWith(`${hidden}/`);

  /** @throws Error with what docker said when it fails */
  async run(...words: string[]): Promise<string> {
    const { command, args } = this.docker(...words);
    return (await run(command, args)).stdout;
  }
}

interface Answer {
  Version: string;
  Components?: { Name: string; Version: string }[];
}

/** @returns null when none answers */
async function versionsOf(docker: Daemon['docker']): Promise<Record<string, string> | null> {
  const { command, args } = docker('version', '--format', '{{json .Server}}');
  try {
    const answer = JSON.parse((await run(command, args)).stdout) as Answer | null;
    if (!answer) return null;
    const runc = answer.Components?.find(({ Name }) => Name === 'runc')?.Version;
    return { docker: answer.Version, ...(runc ? { runc } : {}) };
  } catch {
    return null;
  }
}

/** The one that the docker command reaches as it is set up; null: none answers. */
export async function answeringDaemon(): Promise<Daemon | null> {
  const docker = (...args: string[]) => ({ command: 'docker', args });
  const versions = await versionsOf(docker);
  return versions && new Daemon(false, docker, (command) => command, versions);
}

/** @returns what is missing, and what to do about it */
export function whyNoOwnDaemon(): string | null {
  const missing = ['docker', 'dockerd'].find((program) => whereIs(program) === null);
  if (missing) return `there is no program ${missing}: install Docker (Debian: apt-get install docker.io)`;
  if (process.getuid?.() !== 0)
    return 'no Docker daemon answers and only root may start one: start it, or run as root';
  return null;
}

const socket = 'unix:///run/docker.sock';
let daemons = 0;

/** What our daemon has of its own in place of this machine's. */
const hidden = '/run';
const settingsFolder = '/etc/docker';

/** A daemon writes to /etc and /opt whatever it is told: it gets copies. Its data is in memory, below /run. */
async function hideFolders(space: Namespaces): Promise<void> {
  await space.run('mount', '-t', 'tmpfs', 'tmpfs', hidden);
  for (const folder of ['etc', 'opt']) {
    const [upper, work] = [`/run/upper-${folder}`, `/run/work-${folder}`];
    await space.run('mkdir', upper, work);
    const options = `lowerdir=/${folder},upperdir=${upper},workdir=${work}`;
    await space.run('mount', '-t', 'overlay', 'overlay', '-o', options, `/${folder}`);
  }
  // Settings of this machine's own daemon are not ours.
  await space.run('mkdir', '-p', settingsFolder);
  await space.run('mount', '-t', 'tmpfs', 'tmpfs', settingsFolder);
}

/** A program that makes containers in its own way, and its first arguments. */
export interface Runtime {
  name: string;
  path: string;
  arguments: readonly string[];
}

/**
 * @param runtimes beside Docker's own one
 * @param prepare called before it starts, with the path of its root as seen from here
 * @throws Error in one sentence when it does not start
 */
export async function ownDaemon(
  opened: Opened,
  runtimes: readonly Runtime[] = [],
  prepare: (root: string) => void = () => {},
): Promise<Daemon> {
  const group = `dispatchbench-${process.pid}-${++daemons}`;
  const groups = ['/sys/fs/cgroup', '-depth', '-type', 'd', '-path', `*/${group}*`, '-delete'];
  opened.keep(keeper([{ command: 'find', args: groups }]));
  const space = await Namespaces.make('the namespaces of the Docker daemon', ['net', 'mount', 'pid']);
  let child: Child | null = null;
  opened.atEnd(async () => {
    await space.close();
    await child?.end(graceMs);
  });
  await hideFolders(space);
  const root = `/proc/${space.pid}/root`;
  prepare(root);
  writeFileSync(
    `${root}${settingsFolder}/daemon.json`,
    JSON.stringify({
      runtimes: Object.fromEntries(
        runtimes.map(({ name, path, arguments: runtimeArgs }) => [name, { path, runtimeArgs }]),
      ),
    }),
  );
  await space.run('ip', 'link', 'set', 'lo', 'up');
  const args = [
    `--host=${socket}`,
    '--data-root=/run/docker/data',
    '--exec-root=/run/docker/exec',
    '--pidfile=/run/docker.pid',
    `--cgroup-parent=/${group}`,
    '--exec-opt=native.cgroupdriver=cgroupfs',
    '--log-level=warn',
  ];
  child = new Child('the Docker daemon', space.enter({ command: 'dockerd', args }));
  const docker = (...words: string[]) =>
    space.enter({ command: 'docker', args: ['--host', socket, ...words] });
  const deadline = performance.now() + startMs;
  for (;;) {
    const versions = await versionsOf(docker);
    if (versions)
      return new Daemon(
        true,
        docker,
        (command) => space.enter(command, ['net']),
        versions,
        `/${group}`,
        space.file('pid'),
      );
    const ended = child.ended();
    if (ended) throw new Error(`not available here: ${ended}; its last words: ${child.stderrTail()}`);
    if (performance.now() > deadline) throw new Error('the Docker daemon does not answer within 30 s');
    await pause(20);
  }
}
