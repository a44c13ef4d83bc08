/**
 * A container of Docker, the client outside it: over Docker's bridge (`docker`) or on the network of the machine
 * (`docker:host`). The image is imported from our own files, so no registry is asked. The container's own process is an
 * observer that ends with its stdin, and the container ends with it; programs are executed beside it.
 *
 * Where no daemon answers, one of our own is started (docker-daemon.ts).
 */
import { spawn } from 'node:child_process';
import { isIP } from 'node:net';
import { pipeline } from 'node:stream/promises';
import { Child } from './child.js';
import { answeringDaemon, type Daemon, ownDaemon, whyNoOwnDaemon } from './docker-daemon.js';
import type { HostKind, Roles } from './host.js';
import { keeper } from './keeper.js';
import { ownBootId } from './linux-facts.js';
import { ObservedHost } from './observed-host.js';
import { observerProgram } from './observer.js';
import { Opened } from './opened.js';
import { linkedRoot, ownFilesInstallation } from './own-files.js';
import { commandOf } from './program.js';

const answerMs = 30_000;
const graceMs = 5000;

const networks = ['bridge', 'host'] as const;
type Network = (typeof networks)[number];

let containers = 0;

/** Hands our files to the daemon as the one layer of an image; tar takes what the links stand for. */
async function importImage(daemon: Daemon, image: string, opened: Opened): Promise<void> {
  const files = ['--create', '--dereference', `--directory=${linkedRoot(opened)}`, '.'];
  const tar = spawn('tar', files, { stdio: ['ignore', 'pipe', 'inherit'] });
  const { command, args } = daemon.docker('import', '-', image);
  const docker = spawn(command, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let said = '';
  docker.stderr.on('data', (chunk) => {
    said += chunk;
  });
  const ended = new Promise<number | null>((resolve) => docker.once('close', resolve));
  await pipeline(tar.stdout, docker.stdin).catch(() => {});
  if ((await ended) !== 0) throw new Error(`the image could not be imported: ${said.trim()}`);
}

/** @returns the addresses on the bridge: the container's, and the machine's, from where clients come */
async function bridgeAddresses(daemon: Daemon, container: string): Promise<[string, string]> {
  const format = '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{.Gateway}} {{end}}';
  const said = (await daemon.run('inspect', '--format', format, container)).trim();
  const [own = '', gateway = ''] = said.split(' ');
  if (isIP(own) !== 4 || isIP(gateway) !== 4)
    throw new Error(`Docker gave the container no addresses: '${said}'`);
  return [own, gateway];
}

/** Starts a container and waits until something runs in it. */
async function startContainer(daemon: Daemon, network: Network, opened: Opened): Promise<string> {
  const name = `dispatchbench-${process.pid}-${++containers}`;
  if (!daemon.isOurs) opened.keep(keeper([daemon.docker('image', 'rm', '--force', name)]));
  await importImage(daemon, name, opened);
  const { command, args } = commandOf(observerProgram, ownFilesInstallation);
  const container = new Child(
    'the container',
    daemon.docker(
      ...['run', '--interactive', '--rm', '--pull=never', `--name=${name}`, `--network=${network}`],
      ...[name, command, ...args],
    ),
  );
  opened.atEnd(() => container.end(graceMs));
  container.send('ping');
  await container.expect('pong', answerMs);
  return name;
}

const openDocker = (network: Network): Promise<Roles> =>
  Opened.by(async (opened) => {
    const daemon = (await answeringDaemon()) ?? (await ownDaemon(opened));
    const container = await startContainer(daemon, network, opened);
    const name = network === 'bridge' ? 'docker' : 'docker-host';
    const [inside, outside] =
      network === 'bridge' ? await bridgeAddresses(daemon, container) : ['127.0.0.1', '127.0.0.1'];
    const transport = network === 'bridge' ? 'veth' : 'loopback';
    const server = await ObservedHost.start({
      identity: { name, executionClass: 'container', transport },
      address: inside,
      enter: ({ command, args }) => daemon.docker('exec', '--interactive', container, command, ...args),
      installation: ownFilesInstallation,
      below: { versions: daemon.versions },
    });
    opened.atEnd(() => server.stop());
    if (server.look.bootId !== ownBootId())
      throw new Error(
        'not available here: the Docker daemon that answers runs its containers under another kernel, ' +
          'where they are not reached from here; stop it, or unset DOCKER_HOST',
      );
    const client = await ObservedHost.start({
      identity: { name, executionClass: 'native', transport },
      address: outside,
      enter: daemon.enterNetwork,
    });
    opened.atEnd(() => client.stop());
    return { name, server, client, close: opened.close };
  });

async function unavailable(): Promise<string | null> {
  if (process.platform !== 'linux') return 'containers share the kernel with us on Linux alone: run on Linux';
  return (await answeringDaemon()) ? null : whyNoOwnDaemon();
}

export const docker: HostKind = {
  id: 'docker',
  variants: ['host'],
  summary:
    'a container of Docker, the client outside it: docker over its bridge, docker:host on the network of the machine',
  unavailable,
  async open(argument) {
    const network = networks.find((one) => one === (argument ?? 'bridge'));
    if (!network)
      throw new Error(`the host 'docker' is docker, docker:bridge or docker:host, not 'docker:${argument}'`);
    const reason = await unavailable();
    if (reason) throw new Error(`not available here: ${reason}`);
    return openDocker(network);
  },
};
