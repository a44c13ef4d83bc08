/**
 * A Linux guest that can be moved while it runs: the kernel of the guest `linux` with busybox and a first process of its own
 * (vm-images/linux/init-movable), its memory in a file, and no device but a serial port that leads to that process.
 */
import { guestPath, readGuest } from './guest-file.js';
import { writeImage } from './guest-image.js';
import { machineArguments, memoryInFile } from './qemu.js';
import { packagedParts } from './qemu-linux.js';

const folder = 'linux';
/** How often in a second it writes a batch of pages. */
const batches = 10;
/** It writes round and round over so many batches: each of them has changed again when it is told the second time. */
const spanBatches = 64;

/**
 * Writes its file system to `path`.
 * @returns path of its kernel
 * @throws Error in one sentence that names the packages to install
 */
export function writeMovable(path: string): string {
  const parts = { ...packagedParts(), init: guestPath(folder, 'init-movable'), files: [] };
  writeImage(parts, path);
  return parts.kernel.path;
}

/** Paths of what it is made of and of where it is reached. */
export interface MovableFiles {
  kernel: string;
  image: string;
  memory: string;
  /** gets what its kernel says */
  console: string;
  /** a socket that QEMU listens at: the other end of its serial port */
  port: string;
}

/** The same for the guest that is moved and for the machine that it comes to. @param pages a second that it writes */
export function movableArguments(
  { kernel, image, memory, console, port }: MovableFiles,
  bytes: number,
  pages: number,
): string[] {
  const { machine, kernelArguments } = readGuest(folder);
  const batch = Math.ceil(pages / batches);
  return [
    ...machineArguments(
      {
        kernelArguments,
        machine: { ...machine, type: `${machine.type},memory-backend=memory`, memoryMiB: bytes >> 20 },
      },
      'tcg',
      { kernel, image },
      { GUEST_PAGES: `${batch}`, GUEST_SPAN: `${batch * spanBatches}` },
    ),
    ...memoryInFile(memory, bytes),
    ...['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
    ...['-chardev', `socket,id=port,path=${port},server=on,wait=off`],
    ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=port'],
  ];
}
