/** Programs of this machine by name, as a shell finds them. */
import { accessSync, constants } from 'node:fs';
import { delimiter, join } from 'node:path';

/** @returns where a program lies; null: it is not installed */
export function whereIs(program: string): string | null {
  const runs = (path: string) => {
    try {
      accessSync(path, constants.X_OK);
      return true;
    } catch {
      return false;
    }
  };
  const folders = (process.env.PATH ?? '').split(delimiter).filter(Boolean);
  return folders.map((folder) => join(folder, program)).find(runs) ?? null;
}
