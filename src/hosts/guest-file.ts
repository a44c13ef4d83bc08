/** vm-images/FOLDER: what a guest is made of. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { packageRoot } from '../addon.js';
import { type GuestFile, guestFile } from '../contract/guest.js';
import { validated } from '../contract/validated.js';

export const guestPath = (folder: string, name: string): string =>
  join(packageRoot, 'vm-images', folder, name);

/** @throws Error in one sentence when it is none */
export function readGuest(folder: string): GuestFile {
  const path = guestPath(folder, 'guest.json');
  return validated(guestFile, JSON.parse(readFileSync(path, 'utf8')), path);
}
