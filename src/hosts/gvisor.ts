/**
 * A sandbox of gVisor: a kernel of its own, in user space, with its own select, poll, epoll and TCP. The server is in the
 * sandbox, the client outside, and a veth pair lies between them. The sandbox's own process is an observer that ends with
 * its stdin; programs are executed beside it. Everything is in namespaces that end with this process.
 *
 * What gVisor tells a program of its CPU time is far off, so a server's is counted outside: that of the whole sandbox, kernel
 * in user space included.
 *
 * How system calls get to that kernel is the platform. It is named in each row, because it decides about every figure.
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import type { HostLook } from '../contract/host.js';
import { carrierCpu, onCarrierCpu } from './carrier-cpu.js';
import { Child } from './child.js';
import type { Host, HostKind, Roles } from './host.js';
import { descriptorLimit } from './linux-facts.js';
import { Namespaces } from './namespaces.js';
import { ObservedHost } from './observed-host.js';
import { observerProgram } from './observer.js';
import { Opened } from './opened.js';
import { ownFiles, ownFilesInstallation } from './own-files.js';
import { treeCpu } from './process-tree.js';
import { type Command, commandOf } from './program.js';
import {
  hideRootNetwork,
  type Platform,
  platforms,
  runscProgram,
  runscVersion,
  triedPlatforms,
} from './runsc.js';
import { clientSources, connect, wireAddresses } from './wire.js';

/** Far above what a sandbox takes to start; one whose platform hangs is given up then. */
const readyMs = 15_000;
const settledNs = 1000;
const graceMs = 2000;

const folder = '/run/sandbox';
const name = 'dispatchbench';

/** The OCI description of the sandbox: our files, read-only, at the paths that they have under another root. */
function bundle(): object {
  const { command, args } = commandOf(observerProgram, ownFilesInstallation);
  const { hard } = descriptorLimit()!;
  return {
    ociVersion: '1.0.0',
    hostname: name,
    root: { path: 'root' },
    process: {
      user: { uid: 0, gid: 0 },
      cwd: '/',
      args: [command, ...args],
      rlimits: [{ type: 'RLIMIT_NOFILE', hard, soft: hard }],
    },
    mounts: [
      { destination: '/proc', type: 'proc', source: 'proc' },
      { destination: '/sys', type: 'sysfs', source: 'sysfs' },
      ...['/dev', '/tmp'].map((destination) => ({ destination, type: 'tmpfs', source: 'tmpfs' })),
      ...ownFiles().map(({ from, to }) => ({
        destination: to,
        type: 'bind',
        source: from,
        options: ['rbind', 'ro'],
      })),
    ],
    linux: {
      namespaces: [
        ...['pid', 'mount', 'ipc', 'uts'].map((type) => ({ type })),
        // The sandbox takes the interfaces that it finds there.
        { type: 'network', path: '/proc/1/ns/net' },
      ],
    },
  };
}

/**
 * gVisor measures the machine's clock before its programs may read it without a system call. Until then, about a second, it
 * steps by what such a call takes. One that never settles is left to the report, which refuses it.
 */
const clockSettled = ({ facts }: HostLook): boolean => facts.clockStepNs < settledNs;

/** @throws Error in one sentence when no sandbox starts on this platform */
async function startSandbox(space: Namespaces, platform: Platform, opened: Opened) {
  const state = [`--root=/run/runsc-${platform}`, `--platform=${platform}`, '--network=sandbox'];
  const args = [...state, '--ignore-cgroups', 'run', `--bundle=${folder}`, name];
  const sandbox = new Child(
    `gVisor on ${platform}`,
    space.enter(onCarrierCpu({ command: runscProgram, args })),
  );
  try {
    sandbox.send('ping');
    await sandbox.expect('pong', readyMs);
  } catch (error) {
    await sandbox.end(0);
    throw error;
  }
  opened.atEnd(() => sandbox.end(graceMs));
  return {
    platform,
    cpu: () => treeCpu(sandbox.pid),
    enter: ({ command, args }: Command) =>
      space.enter({ command: runscProgram, args: [...state, 'exec', name, command, ...args] }),
  };
}

/** The first platform on which a sandbox starts. @throws Error with what each of them said */
async function firstOf(wanted: readonly Platform[], space: Namespaces, opened: Opened) {
  const refusals: string[] = [];
  for (const platform of wanted) {
    try {
      return await startSandbox(space, platform, opened);
    } catch (error) {
      refusals.push((error as Error).message);
    }
  }
  throw new Error(`not available here: ${refusals.join('; ')}`);
}

/** @param version of runsc */
const openGvisor = (wanted: readonly Platform[], version: string): Promise<Roles> =>
  Opened.by(async (opened) => {
    const space = opened.keep(await Namespaces.make('the namespaces of gVisor', ['net', 'mount', 'pid']));
    const outside = opened.keep(await Namespaces.make('the namespace of the client', ['net']));
    await connect({ server: space, client: outside });
    await space.run('mount', '-t', 'tmpfs', 'tmpfs', '/run');
    await hideRootNetwork(space);
    const there = `/proc/${space.pid}/root${folder}`;
    mkdirSync(`${there}/root`, { recursive: true });
    writeFileSync(`${there}/config.json`, JSON.stringify(bundle()));
    const { platform, enter, cpu } = await firstOf(wanted, space, opened);
    // A sandbox does not tell what runs it.
    const cpuModel = cpus()[0]?.model.trim();
    const observed = async (access: Parameters<typeof ObservedHost.start>[0]): Promise<Host> => {
      const host = await ObservedHost.start(access);
      opened.atEnd(() => host.stop());
      return host;
    };
    const identity = { name: `gvisor-${platform}`, transport: 'veth' } as const;
    const [client, server] = await Opened.all([
      observed({
        identity: { ...identity, executionClass: 'native' },
        address: wireAddresses.client,
        sources: clientSources,
        enter: (command) => outside.enter(command),
      }),
      observed({
        identity: { ...identity, executionClass: 'sandbox' },
        address: wireAddresses.server,
        enter,
        settled: clockSettled,
        installation: ownFilesInstallation,
        below: {
          facts: { hypervisor: 'gVisor', accelerator: platform, ...(cpuModel !== undefined && { cpuModel }) },
          versions: { runsc: version },
          cpu,
        },
      }),
    ]);
    return { name: identity.name, server, client, close: opened.close };
  });

async function unavailable(): Promise<string | null> {
  if (process.platform !== 'linux') return "gVisor is Linux's: run on Linux";
  try {
    runscVersion();
  } catch {
    return 'there is no program runsc: install gVisor (Debian: apt-get install runsc)';
  }
  if (process.getuid?.() !== 0) return 'only root may make the namespaces of a sandbox: run as root';
  if (carrierCpu() === undefined) return 'sandbox and client need a CPU each: allow this process two';
  return null;
}

export const gvisor: HostKind = {
  id: 'gvisor',
  summary:
    'a sandbox of gVisor, the client outside it, on the first platform that works here, or gvisor:systrap, gvisor:ptrace, gvisor:kvm',
  unavailable,
  async open(argument) {
    const asked = platforms.find((one) => one === argument);
    if (argument !== null && !asked)
      throw new Error(`gVisor has no platform '${argument}': known are ${platforms.join(', ')}`);
    const reason = await unavailable();
    if (reason) throw new Error(`not available here: ${reason}`);
    return openGvisor(asked ? [asked] : triedPlatforms, runscVersion());
  },
};
