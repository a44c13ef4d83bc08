/**
 * A Linux guest of QEMU, the client outside it: in a network namespace whose tap is the other end of the guest's network.
 * The kernel is a package's, all else in the guest is made from our own files. Where hardware virtualisation does not boot
 * it, its CPU is emulated; that is an execution class of its own.
 */
import { existsSync } from 'node:fs';
import { carrierCpu } from './carrier-cpu.js';
import { clockFault, UnfitClock } from './guest-clock.js';
import { guestPath, readGuest } from './guest-file.js';
import type { ImageParts } from './guest-image.js';
import { findKernel } from './guest-kernel.js';
import type { HostKind, Roles } from './host.js';
import { bootLinux } from './linux-guest.js';
import { Namespaces } from './namespaces.js';
import { ObservedHost } from './observed-host.js';
import { Opened } from './opened.js';
import { ownFiles } from './own-files.js';
import { type Accelerator, accelerators, qemuProgram, qemuVersion } from './qemu.js';
import { Revived, type Standing } from './revived.js';
import { whereIs } from './where-is.js';
import { addSources, clientSources, wireAddresses, wirePrefix } from './wire.js';

const folder = 'linux';
const guest = () => readGuest(folder);
const tap = 'tap0';

/** A kernel measures its clock while it boots: on a busy machine wrongly at times, by a factor of ten and more. */
const boots = 3;

function madeImage() {
  const { linux } = guest().images;
  if (linux?.kind !== 'made-here')
    throw new Error(`${guestPath(folder, 'guest.json')} names no image to make`);
  return linux;
}

/**
 * All but files of our own.
 * @throws Error in one sentence that names the packages to install
 */
export function packagedParts(): Omit<ImageParts, 'files'> {
  const { kernelFlavour, modules, packages } = madeImage();
  const [kernel, busybox] = [findKernel(kernelFlavour), whereIs('busybox')];
  const missing = [
    whereIs(qemuProgram) ? [] : `no program ${qemuProgram}`,
    kernel ? [] : `no kernel /boot/vmlinuz-*-${kernelFlavour}`,
    busybox ? [] : 'no program busybox',
  ].flat();
  if (!kernel || !busybox || missing.length > 0)
    throw new Error(
      `there is ${missing.join(', ')}: install what a guest is made of ` +
        `(Debian: apt-get install --no-install-recommends ${packages.join(' ')})`,
    );
  return { kernel, modules, busybox, init: guestPath(folder, 'init') };
}

/** @throws Error in one sentence that names the packages to install */
export const imageParts = (): ImageParts => ({ ...packagedParts(), files: ownFiles() });

/** The client's side of the guest's network; the guest finds it again when it has to be booted a second time. */
export async function guestNetwork(): Promise<Namespaces> {
  const network = await Namespaces.make('the network of the guest', ['net']);
  await network.run('ip', 'tuntap', 'add', 'dev', tap, 'mode', 'tap');
  await network.run('ip', 'address', 'add', `${wireAddresses.client}/${wirePrefix}`, 'dev', tap);
  for (const name of [tap, 'lo']) await network.run('ip', 'link', 'set', name, 'up');
  await addSources(network);
  return network;
}

const nameOf = (accelerator: Accelerator) => `qemu-linux-${accelerator}`;

/** @throws Error in one sentence when no guest answers under this accelerator, or the clock of none is of use */
async function boot(accelerator: Accelerator, network: Namespaces): Promise<Standing> {
  for (let left = boots - 1; ; left -= 1) {
    try {
      return await bootOnce(accelerator, network);
    } catch (error) {
      if (!(error instanceof UnfitClock) || left === 0) throw error;
    }
  }
}

function bootOnce(accelerator: Accelerator, network: Namespaces): Promise<Standing> {
  return Opened.by(async (opened) => {
    const address = `${wireAddresses.server}/${wirePrefix}`;
    const machine = opened.keep(
      await bootLinux(guest(), imageParts(), accelerator, { network, tap, address }),
    );
    const { remote, image, cpu } = machine;
    const version = qemuVersion();
    const host = await ObservedHost.start({
      identity: {
        name: nameOf(accelerator),
        executionClass: accelerator === 'kvm' ? 'vm' : 'emulated',
        transport: 'tap',
      },
      address: wireAddresses.server,
      start: (name, command) => remote.start(name, command),
      installation: remote.installation,
      below: {
        facts: { hypervisor: `QEMU ${version}`, accelerator },
        versions: { qemu: version, image: image.digest },
        carrierCpu: cpu,
      },
    });
    const fault = await clockFault(host, guest().clockSource);
    if (fault) throw new UnfitClock(`the guest under ${accelerator.toUpperCase()} is of no use: ${fault}`);
    // Its programs end with it; an observer that is asked to end first would be waited for where it is lost.
    return { host, close: opened.close };
  });
}

/** What booted in this process; that a device is there proves nothing. */
let proven: Accelerator | null = null;

/** @throws Error with what each accelerator said */
async function firstOf(wanted: readonly Accelerator[], network: Namespaces): Promise<Revived> {
  const refusals: string[] = [];
  for (const accelerator of wanted) {
    try {
      const host = await Revived.start(() => boot(accelerator, network));
      proven = accelerator;
      return host;
    } catch (error) {
      refusals.push((error as Error).message);
    }
  }
  throw new Error(`not available here: ${refusals.join('; ')}`);
}

const openGuest = (wanted: readonly Accelerator[]): Promise<Roles> =>
  Opened.by(async (opened) => {
    const network = opened.keep(await guestNetwork());
    const server = opened.keep(await firstOf(wanted, network));
    const client = await ObservedHost.start({
      identity: { name: server.name, executionClass: 'native', transport: 'tap' },
      address: wireAddresses.client,
      sources: clientSources,
      enter: (command) => network.enter(command),
    });
    opened.atEnd(() => client.stop());
    return { name: server.name, server, client, close: opened.close };
  });

/** Why no guest can be made here, and how one could; null: one can. */
export function partsMissing(): string | null {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return 'the guest is made of the programs of this machine, and is for Linux on x86-64';
  try {
    packagedParts();
    return null;
  } catch (error) {
    return (error as Error).message;
  }
}

async function unavailable(): Promise<string | null> {
  const missing = partsMissing();
  if (missing) return missing;
  if (process.getuid?.() !== 0) return 'only root may make the network of a guest: run as root';
  if (!existsSync('/dev/net/tun')) return 'there is no /dev/net/tun: load the module tun (modprobe tun)';
  if (carrierCpu() === undefined) return 'guest and client need a CPU each: allow this process two';
  return null;
}

/** What there is to try: the one asked for, else the one that has booted before, else one after the other. */
function wanted(asked: Accelerator | undefined): readonly Accelerator[] {
  if (asked) return [asked];
  if (proven) return [proven];
  return accelerators.filter((one) => one !== 'kvm' || existsSync('/dev/kvm'));
}

export const qemuLinux: HostKind = {
  id: 'qemu-linux',
  summary:
    'a Linux guest of QEMU, the client outside it, under KVM where that boots it, else emulated; or qemu-linux:kvm, qemu-linux:tcg',
  unavailable,
  async open(argument) {
    const asked = accelerators.find((one) => one === argument);
    if (argument !== null && !asked)
      throw new Error(`QEMU has no accelerator '${argument}': known are ${accelerators.join(', ')}`);
    const reason = await unavailable();
    if (reason) throw new Error(`not available here: ${reason}`);
    return openGuest(wanted(asked));
  },
};
