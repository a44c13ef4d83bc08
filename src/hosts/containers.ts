/**
 * This machine, with a Docker daemon of its own at hand: what is measured may be started by `docker run`, the daemon's part
 * included, and where gVisor is installed in a sandbox of that. The daemon and all programs of the run share a network of
 * their own, whose loopback is like the machine's. The image holds one gateway and nothing else.
 */
import { execFile, spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { basename, dirname } from 'node:path';
import { promisify } from 'node:util';
import { type Containers, containerImage, containersVariable } from '../gateways/parts.js';
import { type Daemon, ownDaemon, type Runtime, whyNoOwnDaemon } from './docker-daemon.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { runscApart, runscProgram, runscVersion, triedPlatforms } from './runsc.js';
import { whereIs } from './where-is.js';

const run = promisify(execFile);

const { name: image, program } = containerImage;
/** Far above what a container takes to start; one whose platform hangs is given up then. */
const triedWithinMs = 15_000;

/** @throws Error with what docker said */
function importImage(daemon: Daemon): Promise<void> {
  const tar = spawn('tar', ['--create', `--directory=${dirname(program)}`, basename(program)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const entry = `ENTRYPOINT ["/${basename(program)}"]`;
  const { command, args } = daemon.docker('import', '--change', entry, '-', image);
  const docker = spawn(command, args, { stdio: [tar.stdout, 'ignore', 'pipe'] });
  let said = '';
  docker.stderr.on('data', (chunk) => {
    said += chunk;
  });
  return new Promise((done, refused) => {
    docker.once('close', (code) =>
      code === 0 ? done() : refused(new Error(`the image could not be imported: ${said.trim()}`)),
    );
  });
}

/** What the daemon runs as gVisor, in its own /run. */
const sandboxProgram = '/run/runsc-apart';

/** gVisor on each of its platforms. */
const sandboxes: readonly Runtime[] = triedPlatforms.map((platform) => ({
  name: `${runscProgram}-${platform}`,
  path: sandboxProgram,
  arguments: [`--platform=${platform}`],
}));

/** The first of them in which the gateway says how it is used; null: none. */
async function working(daemon: Daemon, runtimes: readonly Runtime[]): Promise<Runtime | null> {
  for (const runtime of runtimes) {
    const words = ['--rm', '--pull=never', '--network=none', `--runtime=${runtime.name}`, image, '--help'];
    const { command, args } = daemon.docker('run', ...words);
    try {
      await run(command, args, { timeout: triedWithinMs });
      return runtime;
    } catch {
      // The next one.
    }
  }
  return null;
}

async function unavailable(): Promise<string | null> {
  if (process.platform !== 'linux') return 'containers share the kernel with us on Linux alone: run on Linux';
  if (!existsSync(program)) return `there is no gateway to put into a container: ${containerImage.get}`;
  return whyNoOwnDaemon();
}

export const containers: HostKind = {
  id: 'containers',
  summary: 'this machine with a Docker daemon of its own, for gateways that are started as containers (root)',
  onlyWhenAsked: true,
  unavailable,
  async open(argument): Promise<Roles> {
    if (argument !== null) throw new Error("the host 'containers' takes no argument");
    const reason = await unavailable();
    if (reason) throw new Error(`not available here: ${reason}`);
    return Opened.by(async (opened) => {
      const runsc = whereIs(runscProgram);
      const runtimes = runsc === null ? [] : sandboxes;
      const daemon = await ownDaemon(opened, runtimes, (root) => {
        if (runsc !== null) writeFileSync(`${root}${sandboxProgram}`, runscApart(runsc), { mode: 0o755 });
      });
      await importImage(daemon);
      const sandbox = await working(daemon, runtimes);
      const { command, args } = daemon.docker('run', '--rm', '--pull=never');
      const told: Containers = {
        run: [command, ...args],
        sandbox: sandbox && [`--runtime=${sandbox.name}`],
        image,
        group: daemon.group!,
        processes: daemon.processes!,
      };
      const environment = `${containersVariable}=${JSON.stringify(told)}`;
      const name = 'containers';
      const host = await ObservedHost.start({
        identity: { name, executionClass: 'native', transport: 'loopback' },
        address: '127.0.0.1',
        enter: ({ command: inner, args: rest }) =>
          daemon.enterNetwork({ command: 'env', args: [environment, inner, ...rest] }),
        below: {
          versions: {
            ...daemon.versions,
            ...(sandbox ? { [sandbox.name]: runscVersion() } : {}),
          },
        },
      });
      opened.atEnd(() => host.stop());
      return { name, server: host, client: host, close: opened.close };
    });
  },
};
