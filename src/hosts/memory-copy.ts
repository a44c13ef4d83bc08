/** memcpy as a machine does it: the ceiling of every figure that moves bytes. */
import type { MemoryCopy } from '../contract/host.js';

const mebibyte = 1 << 20;
const copies = 5;

/** Twice the last-level cache, so that memory is measured, but never so large that a small machine suffers. */
export function blockFor(lastLevelCache: number | null): number {
  return Math.min(Math.max(2 * (lastLevelCache ?? 0), 32 * mebibyte), 128 * mebibyte);
}

/** Seconds that the fastest of so many copies took. */
export type Copying = (blockBytes: number, copies: number) => number | Promise<number>;

const ownCopying: Copying = (blockBytes, times) => {
  // Filled, because a page that was never written is not there to be copied.
  const [from, to] = [Buffer.alloc(blockBytes, 1), Buffer.alloc(blockBytes, 2)];
  const seconds = Array.from({ length: times }, () => {
    const started = performance.now();
    from.copy(to);
    return (performance.now() - started) / 1000;
  });
  return Math.min(...seconds);
};

export async function measureMemoryCopy(
  lastLevelCacheBytes: number | null,
  blockBytes = blockFor(lastLevelCacheBytes),
  copying = ownCopying,
): Promise<MemoryCopy> {
  const seconds = await copying(blockBytes, copies);
  return { bytesPerSecond: blockBytes / seconds, copies, blockBytes, lastLevelCacheBytes };
}
