/** Tells when files were put in place: by a rename, or by having been written where they lie. */
import { watch } from 'node:fs';
import { basename, dirname } from 'node:path';

/** A file that is written where it lies is done when it has not changed for this long, milliseconds. */
const SETTLED_MS = 20;

/**
 * @param files of one folder, not empty
 * @param failed is told why nothing is watched any more
 * @throws Error when the folder cannot be watched
 */
export function whenPutInPlace(
  files: readonly string[],
  changed: () => void,
  failed: (reason: string) => void,
): void {
  const ours = new Set(files.map((file) => basename(file)));
  let settling: NodeJS.Timeout | undefined;
  const watcher = watch(dirname(files[0]!), (event, name) => {
    if (name !== null && !ours.has(name)) return;
    clearTimeout(settling);
    if (event === 'rename') changed();
    else settling = setTimeout(changed, SETTLED_MS);
  });
  watcher.on('error', (error) => failed(`its folder is no longer watched: ${error.message}`));
}
