/**
 * Files written so that nothing else is: never through a link that somebody left in the folder, and whole or not at all,
 * also where the disk is full.
 */
import { randomUUID } from 'node:crypto';
import {
  accessSync,
  closeSync,
  constants,
  existsSync,
  fsyncSync,
  ftruncateSync,
  mkdirSync,
  openSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { dirname } from 'node:path';

/** Links are not followed; on systems without the flag (Windows) it is no bit. */
const noFollow = constants.O_NOFOLLOW ?? 0;

/** A system call may take less than it was given. @throws the system's error, part of the bytes then being written */
function writeAll(file: number, content: string | Uint8Array, position: number): number {
  const bytes = typeof content === 'string' ? Buffer.from(content) : content;
  for (let done = 0; done < bytes.length; ) {
    const taken = writeSync(file, bytes, done, bytes.length - done, position + done);
    if (taken === 0) throw Object.assign(new Error('the system took no byte of a write'), { code: 'EIO' });
    done += taken;
  }
  return bytes.length;
}

/** Makes names in a folder last; where folders cannot be synced (Windows) the system does so by itself. */
function syncFolder(path: string): void {
  if (process.platform === 'win32') return;
  const folder = openSync(path, 'r');
  try {
    fsyncSync(folder);
  } finally {
    closeSync(folder);
  }
}

/**
 * Replaces a file as a whole: a reader, or a crash, sees the old one or the new one. What stood there is not written to,
 * so a link is replaced and its target stays.
 * @param durable on the disk when it returns
 * @throws the system's error; the old file is as it was
 */
export function replaceFile(path: string, content: string | Uint8Array, { durable = false } = {}): void {
  const part = `${path}.${randomUUID()}.part`;
  const file = openSync(part, constants.O_WRONLY | constants.O_CREAT | constants.O_EXCL | noFollow, 0o666);
  try {
    try {
      writeAll(file, content, 0);
      if (durable) fsyncSync(file);
    } finally {
      closeSync(file);
    }
    renameSync(part, path);
  } catch (error) {
    rmSync(part, { force: true });
    throw error;
  }
  if (durable) syncFolder(dirname(path));
}

/**
 * Writes text from a byte on, in place of all that follows it: half a line of an earlier attempt as well. On the disk
 * when it returns. A missing file is made; a link is refused (ELOOP).
 * @returns bytes the file then has
 * @throws the system's error; what stood before `position` is as it was
 */
export function writeFrom(path: string, position: number, text: string): number {
  const file = openSync(path, constants.O_WRONLY | constants.O_CREAT | noFollow, 0o666);
  try {
    ftruncateSync(file, position);
    const end = position + writeAll(file, text, position);
    fsyncSync(file);
    return end;
  } catch (error) {
    try {
      ftruncateSync(file, position);
    } catch {
      // The next attempt cuts it off; until then a reader sees a last line cut short.
    }
    throw error;
  } finally {
    closeSync(file);
  }
}

/** Level by level: Node's own recursive mkdir never returns below a system folder that takes none (/proc). */
export function makeFolder(path: string): void {
  if (existsSync(path)) return;
  makeFolder(dirname(path));
  mkdirSync(path);
}

/** A folder for results, made where it is missing. @throws Error in one sentence */
export function usableFolder(path: string): void {
  try {
    makeFolder(path);
    accessSync(path, constants.W_OK);
  } catch (error) {
    throw new Error(
      `the folder ${path} cannot be written to: ${systemFault(error)}; choose another with --out`,
    );
  }
}

/** "no space is left (ENOSPC)": a fault of the system in words. */
export function systemFault(error: unknown): string {
  const { code, message } = error as NodeJS.ErrnoException;
  const words: Record<string, string> = {
    ENOSPC: 'no space is left',
    EDQUOT: 'the quota is used up',
    EIO: 'the device failed',
    EROFS: 'the file system is read-only',
    EACCES: 'permission is denied',
    ELOOP: 'it is a link',
  };
  const known = code && words[code];
  return known ? `${known} (${code})` : message;
}
