/** The archive that Linux unpacks to its first file system: cpio, in the form "newc" (buffer-format.txt of its sources). */

/** A path without a slash at its start. Nothing else of a file is kept: the same files are the same archive. */
export interface Member {
  path: string;
  content: { folder: true } | { link: string } | { program: boolean; bytes(): Buffer };
}

const modes = { folder: 0o040755, link: 0o120777, program: 0o100755, file: 0o100644 };
const alignment = 4;
const end = 'TRAILER!!!';

const padding = (length: number) => Buffer.alloc((alignment - (length % alignment)) % alignment);

function header(path: string, inode: number, mode: number, size: number): Buffer {
  const name = Buffer.from(`${path}\0`);
  const [uid, gid, links, mtime, device, check] = [0, 0, 1, 0, 0, 0];
  const fields = [inode, mode, uid, gid, links, mtime, size, device, device, device, device];
  const numbers = [...fields, name.length, check].map((field) => field.toString(16).padStart(8, '0'));
  const head = Buffer.concat([Buffer.from(`070701${numbers.join('')}`), name]);
  return Buffer.concat([head, padding(head.length)]);
}

function modeAndBytes({ content }: Member): [number, Buffer] {
  if ('folder' in content) return [modes.folder, Buffer.alloc(0)];
  if ('link' in content) return [modes.link, Buffer.from(content.link)];
  return [content.program ? modes.program : modes.file, content.bytes()];
}

const byPath = (one: Member, other: Member) => (one.path < other.path ? -1 : 1);

/**
 * The archive piece by piece: members sorted by path, so that a folder comes before what is in it, and without owners and
 * times.
 */
export function* archive(members: readonly Member[]): Generator<Buffer> {
  let inode = 0;
  for (const member of [...members].sort(byPath)) {
    const [mode, bytes] = modeAndBytes(member);
    yield header(member.path, ++inode, mode, bytes.length);
    yield bytes;
    yield padding(bytes.length);
  }
  yield header(end, 0, 0, 0);
}
