/** The state of the checkout that a run is made with. */
import { execFileSync } from 'node:child_process';
import type { RunInfo } from '../contract/run.js';
import { inCheckout, packageRoot } from '../installation.js';

function git(...args: string[]): string | null {
  try {
    return execFileSync('git', ['-C', packageRoot, ...args], {
      encoding: 'utf8',
      stdio: ['ignore', 'pipe', 'ignore'],
    });
  } catch {
    return null;
  }
}

/** null for an installed package */
export function checkout(): RunInfo['git'] {
  // The folder of a package may lie in a repository of its user's.
  if (!inCheckout) return null;
  const commit = git('rev-parse', 'HEAD')?.trim();
  const changes = git('status', '--porcelain');
  return commit && changes !== null ? { commit, dirty: changes !== '' } : null;
}
