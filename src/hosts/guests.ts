/** The guests that the suite knows (vm-images/matrix.json), and how each comes to be a host. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../addon.js';
import { type GuestFile, type GuestMatrix, guestMatrix } from '../contract/guest.js';
import { validated } from '../contract/validated.js';
import { carriedTo } from './carried.js';
import { readGuest } from './guest-file.js';

export type Guest = GuestMatrix[number] & { image: GuestFile['images'][string]; access: GuestFile['access'] };

/** @throws Error in one sentence when a description is none */
export function guests(): Guest[] {
  const path = join(packageRoot, 'vm-images/matrix.json');
  return validated(guestMatrix, JSON.parse(readFileSync(path, 'utf8')), path).map((row) => {
    const { images, access } = readGuest(row.folder);
    return { ...row, image: images[row.id]!, access };
  });
}

/** @throws Error in one sentence that names the known ones */
export function guestNamed(id: string): Guest {
  const all = guests();
  const found = all.find((one) => one.id === id);
  if (!found) throw new Error(`there is no guest '${id}': known are ${all.map((one) => one.id).join(', ')}`);
  return found;
}

/** What its user does to measure on it. */
export function inWords({ id, folder, os, image, access }: Guest): string {
  if (image.kind === 'made-here') return `made and booted by --host qemu-${id}`;
  const user = access.by === 'ssh' ? `${access.user}@` : '';
  const got = image.kind === 'official' ? `dispatchbench hosts fetch ${id}` : image.how;
  const reached = carriedTo(os)
    ? `--host ssh-bare:${user}NAME (nothing of ours is installed there)`
    : `--host ssh:${user}NAME (with dispatchbench built there)`;
  return `${got}; boot it as vm-images/${folder}/README.md says; ${reached}`;
}
