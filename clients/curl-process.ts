/** One curl process: a request that is measured or asked for by somebody else's program. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

const run = promisify(execFile);

/** @returns what it printed; null: it failed. @throws Error in one sentence where there is no curl */
export async function curl(...args: string[]): Promise<string | null> {
  try {
    return (await run('curl', args)).stdout;
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === 'ENOENT')
      throw new Error('there is no program curl: install it (Debian: apt-get install curl)');
    return null;
  }
}
