/** Content by its SHA-256, in a folder: modules and files of tasks. What is not what it says it is never gets in. */
import { createHash, randomUUID } from 'node:crypto';
import {
  createReadStream,
  createWriteStream,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';

/** An upload that is refused, with the status of HTTP that says so. */
export class Refused extends Error {
  constructor(
    readonly status: number,
    message: string,
  ) {
    super(message);
  }
}

export class Store {
  readonly #uploads: string;
  #bytes = 0;
  /** of uploads that are under way, so that several together keep to the bound */
  #coming = 0;

  constructor(
    readonly folder: string,
    /** of one upload, and of all together */
    readonly most: { one: number; all: number },
  ) {
    this.#uploads = join(folder, 'uploads');
    rmSync(this.#uploads, { recursive: true, force: true });
    mkdirSync(this.#uploads, { recursive: true, mode: 0o700 });
    for (const name of readdirSync(folder))
      if (/^[0-9a-f]{64}$/.test(name)) this.#bytes += statSync(join(folder, name)).size;
  }

  #file(digest: string): string {
    return join(this.folder, digest);
  }

  has(digest: string): boolean {
    return existsSync(this.#file(digest));
  }

  read(digest: string): Buffer<ArrayBuffer> {
    return readFileSync(this.#file(digest)) as Buffer<ArrayBuffer>;
  }

  stream(digest: string): { bytes: number; content: Readable } {
    return { bytes: statSync(this.#file(digest)).size, content: createReadStream(this.#file(digest)) };
  }

  /** @param announced bytes that are said to come; null: not said. @throws Refused */
  async put(digest: string, content: Readable, announced: number | null): Promise<void> {
    const { one, all } = this.most;
    const tooLarge = () => new Refused(413, `an upload may have ${one} bytes`);
    const full = () =>
      new Refused(507, `the broker keeps at most ${all} bytes: remove what is in ${this.folder}`);
    if (announced !== null && announced > one) throw tooLarge();
    if (announced !== null && this.#bytes + this.#coming + announced > all) throw full();
    const part = join(this.#uploads, randomUUID());
    const hash = createHash('sha256');
    let bytes = 0;
    // What is refused in the middle stays open: its sender is still to be told.
    const source: AsyncIterable<Buffer> = content.iterator({ destroyOnReturn: false });
    const check = async function* (this: Store) {
      for await (const chunk of source) {
        bytes += chunk.length;
        this.#coming += chunk.length;
        if (bytes > one) throw tooLarge();
        if (this.#bytes + this.#coming > all) throw full();
        hash.update(chunk);
        yield chunk;
      }
    }.call(this);
    try {
      await pipeline(Readable.from(check), createWriteStream(part, { mode: 0o600 }));
      const found = hash.digest('hex');
      if (found !== digest) throw new Refused(422, `the content is ${found}, not ${digest}`);
      if (this.has(digest)) return;
      renameSync(part, this.#file(digest));
      this.#bytes += bytes;
    } finally {
      this.#coming -= bytes;
      rmSync(part, { force: true });
    }
  }
}
