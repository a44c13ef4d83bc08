/** Files of another machine, fetched as they are wanted, for functions that read files and wait for nothing. */
import type { Texts } from './linux-facts.js';

/** Texts of files that a pattern matches, by path; null: a file there that is no text. */
export type Fetch = (patterns: readonly string[]) => Promise<Readonly<Record<string, string | null>>>;

const inside = (folder: string) => `${folder}/*`;

/**
 * Carries `work` out again until it wants nothing that has not been fetched. What it wanted the last time is fetched at
 * once, so that later calls take one exchange.
 */
export class TextsFromAfar {
  private readonly wanted = new Set<string>();

  constructor(private readonly fetch: Fetch) {}

  async with<T>(work: (texts: Texts) => T): Promise<T> {
    const asked = new Set<string>();
    const found = new Map<string, string | null>();
    const texts: Texts = {
      read: (path) => {
        this.wanted.add(path);
        return found.get(path)?.replaceAll('\0', '').trim() ?? null;
      },
      names: (folder) => {
        this.wanted.add(inside(folder));
        const start = `${folder}/`;
        const below = [...found.keys()].filter(
          (path) => path.startsWith(start) && !path.slice(start.length).includes('/'),
        );
        return below.map((path) => path.slice(start.length)).sort();
      },
    };
    for (;;) {
      const missing = [...this.wanted].filter((one) => !asked.has(one));
      if (missing.length > 0) {
        for (const [path, text] of Object.entries(await this.fetch(missing))) found.set(path, text);
        for (const one of missing) asked.add(one);
      }
      const result = work(texts);
      if ([...this.wanted].every((one) => asked.has(one))) return result;
    }
  }
}
