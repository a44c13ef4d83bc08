// Makes the small virtual machine whose one process is the native gateway, for scripts/gateways.mjs: its file system in
// `image`, and the command line that starts it under each accelerator, with places for address, port and upstream.
import { spawn } from 'node:child_process';
import { existsSync } from 'node:fs';
import { createServer } from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { readGuest } from '../dist/src/hosts/guest-file.js';
import { writeImage } from '../dist/src/hosts/guest-image.js';
import { findKernel } from '../dist/src/hosts/guest-kernel.js';
import { accelerators, machineArguments, qemuProgram, qemuVersion } from '../dist/src/hosts/qemu.js';
import { whereIs } from '../dist/src/hosts/where-is.js';

export const init = 'gateways/microvm/init';
const guest = readGuest('linux');
const memoryMiB = 128;
const modules = ['virtio_pci', 'virtio_net'];

export { accelerators };

/** What of this machine it is made of; what is missing is null. */
export function parts() {
  const { kernelFlavour, packages } = guest.images.linux;
  return {
    kernel: findKernel(kernelFlavour),
    busybox: whereIs('busybox'),
    qemu: whereIs(qemuProgram) && qemuVersion(),
    packages,
  };
}

function commandLine(accelerator, kernel, image) {
  const machine = { ...guest.machine, memoryMiB };
  const settings = { GATEWAY_PORT: '{port}', GATEWAY_UPSTREAM: '{upstream}' };
  return [
    whereIs(qemuProgram),
    ...machineArguments({ ...guest, machine }, accelerator, { kernel: kernel.path, image }, settings),
    ...['-netdev', 'user,id=net,hostfwd=tcp:{address}:{port}-10.0.2.15:{port}'],
    ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ...['-chardev', 'stdio,id=console,signal=off', '-serial', 'chardev:console'],
  ];
}

async function freePort() {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((done) => server.once('listening', done));
  const { port } = server.address();
  await new Promise((done) => server.close(done));
  return port;
}

/** Whether a machine started so answers `GET /` in time. */
async function answers(argv, seconds) {
  const port = await freePort();
  const values = { '{address}': '127.0.0.1', '{port}': `${port}`, '{upstream}': '127.0.0.1:1' };
  const [command, ...args] = argv.map((word) =>
    Object.entries(values).reduce((text, [name, value]) => text.replaceAll(name, value), word),
  );
  const child = spawn(command, args, { stdio: 'ignore' });
  const ended = new Promise((done) => child.once('exit', done).once('error', done));
  try {
    for (const deadline = Date.now() + seconds * 1000; Date.now() < deadline && child.exitCode === null; ) {
      const reply = await fetch(`http://127.0.0.1:${port}/`, { signal: AbortSignal.timeout(1000) }).catch(
        () => null,
      );
      if (reply?.ok) return true;
      await pause(50);
    }
    return false;
  } finally {
    child.kill('SIGKILL');
    await ended;
  }
}

/** @returns how large its file system is, and under which accelerators it answered a request, with its command line there */
export async function make({ kernel, busybox }, gateway, image) {
  const files = [{ from: gateway, to: '/gateway-native' }];
  const { bytes } = writeImage({ kernel, busybox, modules, init, files }, image);
  const answered = {};
  for (const accelerator of accelerators) {
    if (accelerator === 'kvm' && !existsSync('/dev/kvm')) continue;
    const argv = commandLine(accelerator, kernel, image);
    if (await answers(argv, guest.readyWithinS[accelerator])) answered[accelerator] = argv;
  }
  return { bytes, answered };
}
