/**
 * A virtual machine with a Linux of our own making, from its start until it is ended. It is a process in namespaces that
 * end with this process, and its files lie in memory there. Programs in it are started by a starter, whose frames travel
 * over a serial port.
 */
import { readFileSync } from 'node:fs';
import { childLink } from '../carriers/link.js';
import type { GuestFile } from '../contract/guest.js';
import { printable } from '../contract/printable.js';
import { type StarterRequest, starterReport } from '../contract/starter.js';
import { onCarrierCpu } from './carrier-cpu.js';
import { type GuestImage, type ImageParts, writeImage } from './guest-image.js';
import { Namespaces } from './namespaces.js';
import { Opened } from './opened.js';
import { type CpuUse, treeCpu } from './process-tree.js';
import { type Accelerator, qemuCommand } from './qemu.js';
import { Remote } from './remote.js';

const folder = '/run';
const lastWords = 3;

export interface LinuxGuest {
  remote: Remote;
  image: GuestImage;
  /** CPU time that the machine has taken, all that it did for its guest */
  cpu(): CpuUse;
  close(): Promise<void>;
}

/** Why its kernel gave up, else what it said last; it says little as long as all is well. */
function consoleTail(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8')
      .split('\n')
      .map((line) => printable(line.trim()))
      .filter(Boolean);
    const panic = lines.filter((line) => /Kernel panic/.test(line)).slice(0, 1);
    const words = panic.length > 0 ? panic : lines.slice(-lastWords);
    return words.length > 0 ? `; its console says: ${words.join(' | ')}` : '';
  } catch {
    // It was never opened.
    return '';
  }
}

/**
 * @param network the namespace of the machine's network
 * @throws Error in one sentence when the guest's starter does not answer in time
 */
export function bootLinux(
  guest: GuestFile,
  parts: ImageParts,
  accelerator: Accelerator,
  { network, tap, address }: { network: Namespaces; tap: string; address: string },
): Promise<LinuxGuest> {
  return Opened.by(async (opened) => {
    const space = await Namespaces.make('the namespaces of the guest', ['mount', 'pid']);
    let ended: Promise<unknown> | null = null;
    // The process that entered the namespaces ends when all in them has.
    opened.atEnd(async () => {
      await space.close();
      await ended;
    });
    await space.run('mount', '-t', 'tmpfs', '-o', 'mode=700', 'tmpfs', folder);
    const there = `/proc/${space.pid}/root${folder}`;
    const image = writeImage(parts, `${there}/image`);
    const machine = qemuCommand(
      guest,
      accelerator,
      { kernel: parts.kernel.path, image: `${folder}/image`, console: `${folder}/console`, tap },
      { GUEST_ADDRESS: address, GUEST_DESCRIPTORS: `${guest.descriptorLimit}` },
    );
    const link = childLink<typeof starterReport, StarterRequest>(
      `the guest under ${accelerator.toUpperCase()}`,
      starterReport,
      network.enter(space.enter(onCarrierCpu(machine))),
      true,
    );
    ended = link.ended;
    const remote = await Remote.over(link, guest.readyWithinS[accelerator] * 1000).catch((error: Error) => {
      throw new Error(`${error.message}${consoleTail(`${there}/console`)}`);
    });
    const pid = link.child.pid ?? 0;
    return { remote, image, cpu: () => treeCpu(pid), close: opened.close };
  });
}
