/**
 * A container of Docker, the client outside it: over Docker's bridge (`docker`) or on the network of the machine
 * (`docker:host`). The image is made of our own files, so no registry is asked. The container's own process is an
 * observer that ends with its stdin, and the container ends with it; programs are executed beside it.
 *
 * Where no daemon answers, one of our own is started (docker-daemon.ts). It sees the files of this machine, so its image is
 * empty and they are mounted; copying them would take longer than all else.
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
import { linkedRoot, type OwnFile, ownFiles, ownFilesInstallation } from './own-files.js';
import { commandOf } from './program.js';

const answerMs = 30_000;
const graceMs = 5000;

const networks = ['bridge', 'host'] as const;
type Network = (typeof networks)[number];

let containers = 0;

/** Makes an image whose one layer is what tar packs. */
async function importImage(daemon: Daemon, image: string, ...packed: string[]): Promise<void> {
  const tar = spawn('tar', ['--create', ...packed], { stdio: ['ignore', 'pipe', 'inherit'] });
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

/** One value of a list that Docker reads as a row of a table. */
const inRow = (text: string) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** Options of a container that has a file or a folder of this machine, which it cannot change. */
const mounted = ({ from, to }: OwnFile): string[] => [
  '--mount',
  ['type=bind', `source=${from}`, `target=${to}`, 'readonly'].map(inRow).join(','),
];

/** Makes the image. @returns options of the container that has our files by it */
async function provide(daemon: Daemon, image: string, opened: Opened): Promise<string[]> {
  const files = ownFiles();
  if (files.every(({ from }) => daemon.reaches(from))) {
    await importImage(daemon, image, '--files-from=/dev/null');
    return files.flatMap(mounted);
  }
  // tar takes what the links stand for.
  await importImage(daemon, image, '--dereference', `--directory=${linkedRoot(files, opened)}`, '.');
  return [];
}

/** Starts a container and waits until something runs in it. */
async function startContainer(daemon: Daemon, network: Network, opened: Opened): Promise<string> {
  const name = `dispatchbench-${process.pid}-${++containers}`;
  if (!daemon.isOurs) opened.keep(keeper([daemon.docker('image', 'rm', '--force', name)]));
  const files = await provide(daemon, name, opened);
  const { command, args } = commandOf(observerProgram, ownFilesInstallation);
  const container = new Child(
    'the container',
    daemon.docker(
      ...['run', '--interactive', '--rm', '--pull=never', `--name=${name}`, `--network=${network}`],
      ...[...files, name, command, ...args],
    ),
  );
  opened.atEnd(() => container.end(graceMs));
  container.send('ping');
  await container.expect('pong', answerMs);
  return name;
}

/** @throws Error in one sentence when there can be none of ours, or it does not start */
function oursOf(opened: Opened): Promise<Daemon> {
  const reason = whyNoOwnDaemon();
  if (reason) throw new Error(`not available here: ${reason}`);
  return ownDaemon(opened);
}

const openDocker = (network: Network): Promise<Roles> =>
  Opened.by(async (opened) => {
    const daemon = (await answeringDaemon()) ?? (await oursOf(opened));
    const container = await startContainer(daemon, network, opened);
    const name = network === 'bridge' ? 'docker' : 'docker-host';
    const [inside, outside] =
      network === 'bridge' ? await bridgeAddresses(daemon, container) : ['127.0.0.1', '127.0.0.1'];
    const transport = network === 'bridge' ? 'veth' : 'loopback';
    const observed = async (access: Parameters<typeof ObservedHost.start>[0]) => {
      const host = await ObservedHost.start(access);
      opened.atEnd(() => host.stop());
      return host;
    };
    const [server, client] = await Opened.all([
      observed({
        identity: { name, executionClass: 'container', transport },
        address: inside,
        enter: ({ command, args }) => daemon.docker('exec', '--interactive', container, command, ...args),
        installation: ownFilesInstallation,
        below: { versions: daemon.versions },
      }),
      observed({
        identity: { name, executionClass: 'native', transport },
        address: outside,
        enter: daemon.enterNetwork,
      }),
    ]);
    if (server.look.bootId !== ownBootId())
      throw new Error(
        'not available here: the Docker daemon that answers runs its containers under another kernel, ' +
          'where they are not reached from here; stop it, or unset DOCKER_HOST',
      );
    return { name, server, client, close: opened.close };
  });

const elsewhere =
  process.platform !== 'linux' && 'containers share the kernel with us on Linux alone: run on Linux';

async function unavailable(): Promise<string | null> {
  if (elsewhere) return elsewhere;
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
    if (elsewhere) throw new Error(`not available here: ${elsewhere}`);
    return openDocker(network);
  },
};
