/** QEMU: its command for a guest whose kernel it loads itself. */
import { execFileSync } from 'node:child_process';
import type { GuestFile } from '../contract/guest.js';
import type { Command } from './program.js';

export const qemuProgram = 'qemu-system-x86_64';

/** In the order in which they are tried. */
export const accelerators = ['kvm', 'tcg'] as const;
export type Accelerator = (typeof accelerators)[number];

/** What it is started from, by paths as its process sees them. */
export interface MachineFiles {
  kernel: string;
  image: string;
  /** gets what the guest's kernel says */
  console: string;
  /** the interface that is the other end of the guest's */
  tap: string;
}

/** Hardware virtualisation shows the guest the CPU that there is, emulation all that it can. */
const cpuOf: Record<Accelerator, string> = { kvm: 'host', tcg: 'max' };

/** @throws Error when it is not installed */
export const qemuVersion = (): string =>
  /version ([\w.]+)/.exec(execFileSync(qemuProgram, ['--version'], { encoding: 'utf8' }))?.[1] ?? 'unknown';

/** Memory in a file that others may read, and write; a machine takes it by `memory-backend=memory`. */
export const memoryInFile = (path: string, bytes: number): string[] => [
  '-object',
  `memory-backend-file,id=memory,size=${bytes},mem-path=${path},share=on`,
];

/**
 * What every guest's command begins with: no device, and nothing that a file of this machine asks for.
 * @param settings of its first process: the kernel hands on what it does not know itself
 */
export const machineArguments = (
  { machine, kernelArguments }: Pick<GuestFile, 'machine' | 'kernelArguments'>,
  accelerator: Accelerator,
  { kernel, image }: Pick<MachineFiles, 'kernel' | 'image'>,
  settings: Record<string, string>,
): string[] => [
  ...['-no-user-config', '-nodefaults', '-display', 'none', '-no-reboot'],
  ...['-machine', machine.type, '-accel', accelerator, '-cpu', cpuOf[accelerator]],
  ...['-smp', `${machine.vcpus}`, '-m', `${machine.memoryMiB}`],
  ...['-kernel', kernel, '-initrd', image, '-append'],
  [...kernelArguments, ...Object.entries(settings).map(([name, value]) => `${name}=${value}`)].join(' '),
];

/** The guest's serial port is this process' stdin and stdout. `settings` as above. */
export function qemuCommand(
  guest: Pick<GuestFile, 'machine' | 'kernelArguments'>,
  accelerator: Accelerator,
  { console, tap, ...files }: MachineFiles,
  settings: Record<string, string>,
): Command {
  return {
    command: qemuProgram,
    args: [
      ...machineArguments(guest, accelerator, files, settings),
      ...['-chardev', `file,id=console,path=${console}`, '-serial', 'chardev:console'],
      ...['-chardev', 'stdio,id=starter,signal=off'],
      ...['-device', 'virtio-serial-pci', '-device', 'virtserialport,chardev=starter'],
      ...['-netdev', `tap,id=net,ifname=${tap},script=no,downscript=no,vhost=off`],
      // Nothing is booted from the network.
      ...['-device', 'virtio-net-pci,netdev=net,romfile='],
    ],
  };
}
