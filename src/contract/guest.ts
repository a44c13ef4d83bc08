/**
 * Machines that are started for a measurement: vm-images/matrix.json, which says of each what there is to expect, and
 * vm-images/FOLDER/guest.json, which says how it is made and started.
 */
import { z } from 'zod';
import { backendName, count, executionClass, identifier } from './common.js';

const words = z.string().min(1).max(1000);
const packageName = z.string().regex(/^[a-z0-9][a-z0-9+.-]+$/, 'must be the name of a Debian package');
const mebibytes = count.min(64).max(1 << 20);

/** Put together here, from packages and our own files. */
export const madeImage = z.strictObject({
  kind: z.literal('made-here'),
  /** Debian packages that it takes: the hypervisor, and what goes into the guest */
  packages: z.array(packageName).min(1),
  /** end of the name of the kernel's release: the newest such kernel in /boot is started */
  kernelFlavour: z.string().regex(/^[a-z0-9][a-z0-9-]*$/),
  /** its modules that the first process loads; what they need comes before them */
  modules: z.array(z.string().regex(/^[a-z0-9_]+$/)).min(1),
});

/** A disk image of the system's makers. */
export const officialImage = z.strictObject({
  kind: z.literal('official'),
  url: z.url({ protocol: /^https$/ }),
  format: z.enum(['qcow2', 'raw']),
  /** how the file at the address is packed */
  compression: z.enum(['xz', 'gz', 'zst']).nullable(),
  /** where its makers publish the digest */
  digests: z.url({ protocol: /^https$/ }),
  digestAlgorithm: z.enum(['sha256', 'sha512']),
});

export type OfficialImage = z.infer<typeof officialImage>;

/** One that only its user can get: by a licence, or by an installation. */
export const userImage = z.strictObject({ kind: z.literal('user'), how: words });

export const guestFile = z.strictObject({
  /** by id of the matrix */
  images: z.record(identifier, z.discriminatedUnion('kind', [madeImage, officialImage, userImage])),
  machine: z.strictObject({
    /** QEMU's name of the machine */
    type: z.string().regex(/^[a-z0-9]+$/),
    vcpus: count.min(1).max(1024),
    memoryMiB: mebibytes,
  }),
  /** what the kernel is told; empty where a boot loader does that */
  kernelArguments: z.array(z.string().regex(/^[\w.-]+(=[\w.,-]+)?$/)),
  /** the clock that its kernel has to keep time by; null: any that steps finely enough */
  clockSource: words.nullable(),
  /** descriptors that its programs may have; null: as the system has it */
  descriptorLimit: count.min(1024).nullable(),
  /** how programs are started in it */
  access: z.discriminatedUnion('by', [
    z.strictObject({ by: z.literal('virtio-serial') }),
    z.strictObject({ by: z.literal('ssh'), user: identifier, port: count.min(1).max(65_535) }),
  ]),
  /** it is given up when it does not answer by then, seconds, by the accelerator */
  readyWithinS: z.strictObject({ kvm: count.min(1), tcg: count.min(1) }),
});
export type GuestFile = z.infer<typeof guestFile>;

export const guestMatrix = z.array(
  z.strictObject({
    id: identifier,
    /** below vm-images: where its guest.json lies */
    folder: identifier,
    os: words,
    version: words,
    arch: z.enum(['x86_64', 'aarch64']),
    /** the classes that figures taken on it may have */
    class: z.array(executionClass).min(1),
    /**
     * boots-here: a test boots it with packages alone; needs-kvm: an official image that takes minutes without hardware
     * virtualisation; user-image: only its user can get it
     */
    status: z.enum(['boots-here', 'needs-kvm', 'user-image']),
    /** what its kernel has, of those that the suite knows */
    mechanisms: z.array(backendName).min(1),
  }),
);
export type GuestMatrix = z.infer<typeof guestMatrix>;
