/**
 * This machine, with a Docker daemon of its own at hand: what is measured may be started by `docker run`, the daemon's part
 * included. The daemon and all programs of the run share a network of their own, whose loopback is like the machine's. The
 * image holds the native gateway and nothing else.
 */
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { packageRoot } from '../addon.js';
import { type Containers, containersVariable } from '../gateways/parts.js';
import { type Daemon, ownDaemon, whyNoOwnDaemon } from './docker-daemon.js';
import type { HostKind, Roles } from './host.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';

const image = 'gateway-native';
const program = resolve(packageRoot, 'build/gateways/bin', image);

/** @throws Error with what docker said */
function importImage(daemon: Daemon): Promise<void> {
  const tar = spawn('tar', ['--create', `--directory=${dirname(program)}`, image], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const { command, args } = daemon.docker('import', '--change', `ENTRYPOINT ["/${image}"]`, '-', image);
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

async function unavailable(): Promise<string | null> {
  if (process.platform !== 'linux') return 'containers share the kernel with us on Linux alone: run on Linux';
  if (!existsSync(program))
    return 'there is no gateway to put into a container: dispatchbench gateways setup builds it';
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
      const daemon = await ownDaemon(opened);
      await importImage(daemon);
      const { command, args } = daemon.docker('run', '--rm', '--pull=never');
      const told: Containers = { run: [command, ...args], image, group: daemon.group! };
      const environment = `${containersVariable}=${JSON.stringify(told)}`;
      const name = 'containers';
      const host = await ObservedHost.start({
        identity: { name, executionClass: 'native', transport: 'loopback' },
        address: '127.0.0.1',
        enter: ({ command: inner, args: rest }) =>
          daemon.enterNetwork({ command: 'env', args: [environment, inner, ...rest] }),
        below: { versions: daemon.versions },
      });
      opened.atEnd(() => host.stop());
      return { name, server: host, client: host, close: opened.close };
    });
  },
};
