/**
 * The first and only file system of a Linux guest: busybox, the modules that its devices need, our own files, and the
 * script of its first process. Of the same files it is the same to the byte.
 */
import { createHash } from 'node:crypto';
import { closeSync, openSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { archive, type Member } from './cpio.js';
import { type GuestKernel, moduleBytes, moduleFiles, unpackedName } from './guest-kernel.js';
import { libraries, type OwnFile } from './own-files.js';

export interface GuestImage {
  bytes: number;
  /** sha256, hex, first 16 characters */
  digest: string;
}

export interface ImageParts {
  kernel: GuestKernel;
  /** names of the modules that are loaded at the start */
  modules: readonly string[];
  /** path of busybox */
  busybox: string;
  /** path of the script of the first process */
  init: string;
  /** all else that is in it */
  files: readonly OwnFile[];
}

/** What the first process calls by name, and whoever looks around in the guest. */
const applets = [
  'sh',
  'cat',
  'dd',
  'echo',
  'insmod',
  'ip',
  'kill',
  'ls',
  'mount',
  'poweroff',
  'ps',
  'usleep',
];
const mountPoints = ['dev', 'proc', 'sys', 'tmp'];
/** What only a compiler or a reader of packages looks at. */
const notRun = /\.(map|[cm]?ts|md)$/;

const file = (path: string, program: boolean, bytes: () => Buffer): Member => ({
  path: path.replace(/^\//, ''),
  content: { program, bytes },
});

/** A file, or all that a folder holds. */
function members({ from, to }: OwnFile): Member[] {
  const found = statSync(from);
  if (found.isDirectory())
    return readdirSync(from).flatMap((name) => members({ from: join(from, name), to: join(to, name) }));
  return notRun.test(from) ? [] : [file(to, (found.mode & 0o100) !== 0, () => readFileSync(from))];
}

function contents({ kernel, modules, busybox, init, files }: ImageParts): Member[] {
  const inOrder = moduleFiles(kernel, modules).map((path, index) => {
    const place = `${index}`.padStart(2, '0');
    return file(`modules/${place}-${unpackedName(path)}`, false, () => moduleBytes(path));
  });
  return [
    ...[...files, ...libraries([busybox]).map((path) => ({ from: path, to: path }))].flatMap(members),
    file('bin/busybox', true, () => readFileSync(busybox)),
    ...applets.map((name): Member => ({ path: `bin/${name}`, content: { link: 'busybox' } })),
    file(`boot/config-${kernel.release}`, false, () => readFileSync(kernel.config)),
    file('init', true, () => readFileSync(init)),
    ...inOrder,
  ];
}

/** The folders that these lie in, and those that something is mounted on. */
function folders(all: readonly Member[]): Member[] {
  const found = new Set(mountPoints);
  for (const { path } of all)
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) found.add(folder);
  return [...found].map((path) => ({ path, content: { folder: true } }));
}

/** @throws Error when a part is missing or there is no room for the image */
export function writeImage(parts: ImageParts, path: string): GuestImage {
  const files = new Map(contents(parts).map((member) => [member.path, member]));
  const digest = createHash('sha256');
  let bytes = 0;
  const image = openSync(path, 'w');
  try {
    for (const piece of archive([...folders([...files.values()]), ...files.values()])) {
      writeFileSync(image, piece);
      digest.update(piece);
      bytes += piece.length;
    }
  } finally {
    closeSync(image);
  }
  return { bytes, digest: digest.digest('hex').slice(0, 16) };
}
