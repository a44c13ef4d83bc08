/**
 * The disk image that the makers of a system publish: fetched, and kept only when it is the one that their list of digests
 * names.
 */
import { createHash, randomUUID } from 'node:crypto';
import { createReadStream, createWriteStream, existsSync, mkdirSync, renameSync, rmSync } from 'node:fs';
import { basename, join } from 'node:path';
import { Transform } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import type { OfficialImage } from '../contract/guest.js';
import { printable } from '../contract/printable.js';

/** A server that sends nothing for so long will not. */
const silentMs = 30_000;
/** Of a list of digests, bytes: those of a system's releases are a few kilobytes. */
const longestList = 4 << 20;

const hexDigits = { sha256: 64, sha512: 128 } as const;

type Algorithm = OfficialImage['digestAlgorithm'];

/**
 * The digest of a file in a list, as BSD ("SHA512 (NAME) = HEX") and GNU ("HEX  NAME") write them.
 * @returns null when the list has none of that length
 */
export function digestIn(list: string, name: string, algorithm: Algorithm): string | null {
  for (const line of list.split('\n')) {
    const [, bsd, ofBsd] = /^\w+ \((.+)\) = ([0-9a-fA-F]+)\s*$/.exec(line) ?? [];
    const [, ofGnu, gnu] = /^([0-9a-fA-F]+) [ *](.+?)\s*$/.exec(line) ?? [];
    const digest = ofBsd ?? ofGnu;
    if ((bsd ?? gnu) === name && digest?.length === hexDigits[algorithm]) return digest.toLowerCase();
  }
  return null;
}

/** Passes bytes on, counts them, and ends the transfer when none come. */
class Watched {
  private readonly controller = new AbortController();
  private timer: NodeJS.Timeout | undefined;

  constructor(
    private readonly url: string,
    signal?: AbortSignal,
  ) {
    const given = () => this.controller.abort(signal!.reason);
    if (signal?.aborted) given();
    else signal?.addEventListener('abort', given, { once: true });
    this.alive();
  }

  get signal(): AbortSignal {
    return this.controller.signal;
  }

  alive(): void {
    clearTimeout(this.timer);
    const reason = new Error(`${this.url} sends nothing for ${silentMs / 1000} s`);
    this.timer = setTimeout(() => this.controller.abort(reason), silentMs);
  }

  over(): void {
    clearTimeout(this.timer);
  }
}

/** @throws Error in one sentence */
async function open(url: string, watched: Watched): Promise<Response> {
  try {
    const response = await fetch(url, { signal: watched.signal });
    if (!response.ok || !response.body) throw new Error(`it answers ${response.status}`);
    return response;
  } catch (error) {
    watched.signal.throwIfAborted();
    const { cause, message } = error as Error;
    throw new Error(
      `${url} cannot be fetched: ${printable((cause as Error | undefined)?.message || message)}`,
    );
  }
}

async function fetchText(url: string, signal?: AbortSignal): Promise<string> {
  const watched = new Watched(url, signal);
  try {
    const { body } = await open(url, watched);
    const pieces: Uint8Array[] = [];
    let bytes = 0;
    for await (const piece of body as unknown as AsyncIterable<Uint8Array>) {
      watched.alive();
      pieces.push(piece);
      bytes += piece.length;
      if (bytes > longestList) throw new Error(`${url} is longer than a list of digests`);
    }
    return Buffer.concat(pieces).toString('utf8');
  } finally {
    watched.over();
  }
}

async function digestOfFile(path: string, algorithm: Algorithm): Promise<string> {
  const hash = createHash(algorithm);
  await pipeline(createReadStream(path), hash);
  return hash.digest('hex');
}

/** @returns the digest of what was written to `path`, which is a new file */
async function fetchFile(
  url: string,
  path: string,
  algorithm: Algorithm,
  { progress, signal }: Fetching,
): Promise<string> {
  const watched = new Watched(url, signal);
  const hash = createHash(algorithm);
  let bytes = 0;
  const counting = new Transform({
    transform(piece: Buffer, _, done) {
      watched.alive();
      hash.update(piece);
      bytes += piece.length;
      progress?.(bytes, total);
      done(null, piece);
    },
  });
  let total: number | null = null;
  try {
    const response = await open(url, watched);
    total = Number(response.headers.get('content-length')) || null;
    await pipeline(response.body!, counting, createWriteStream(path, { flags: 'wx' }), {
      signal: watched.signal,
    });
    return hash.digest('hex');
  } catch (error) {
    watched.signal.throwIfAborted();
    throw error;
  } finally {
    watched.over();
  }
}

export interface Fetching {
  /** where images are kept; made when it is missing */
  folder: string;
  /** bytes so far, and of all where the server says so */
  progress?: (bytes: number, total: number | null) => void;
  signal?: AbortSignal;
}

export interface FetchedImage {
  path: string;
  digest: string;
  /** false: it was there already, and is the right one */
  fetched: boolean;
}

/**
 * @throws Error in one sentence: it cannot be fetched, the list of digests does not name it, or it is another file than the
 *   list says, which is then removed
 */
export async function fetchImage(
  { url, digests, digestAlgorithm }: Pick<OfficialImage, 'url' | 'digests' | 'digestAlgorithm'>,
  fetching: Fetching,
): Promise<FetchedImage> {
  const { folder, signal } = fetching;
  const name = basename(new URL(url).pathname);
  const digest = digestIn(await fetchText(digests, signal), name, digestAlgorithm);
  if (digest === null) throw new Error(`${digests} has no ${digestAlgorithm} of ${name}`);
  mkdirSync(folder, { recursive: true });
  const path = join(folder, name);
  if (existsSync(path) && (await digestOfFile(path, digestAlgorithm)) === digest)
    return { path, digest, fetched: false };
  const part = `${path}.${randomUUID()}.part`;
  try {
    const found = await fetchFile(url, part, digestAlgorithm, fetching);
    if (found !== digest)
      throw new Error(
        `${url} is not the file that its makers name: its ${digestAlgorithm} is ${found.slice(0, 16)}…, ` +
          `and ${digests} says ${digest.slice(0, 16)}…; nothing of it was kept`,
      );
    renameSync(part, path);
    return { path, digest, fetched: true };
  } finally {
    rmSync(part, { force: true });
  }
}
