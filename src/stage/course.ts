/** A link whose rate changes while something is measured over it. */
import { setTimeout as pause } from 'node:timers/promises';
import type { Stage } from './stage.js';

/**
 * Carries work out while the way to the server has another share of the link's rate after every step, from the first share on and
 * round and round; afterwards the link is as it was.
 * @throws Error in one sentence where the stage has no link whose rate can be changed
 */
export async function alongCourse<T>(
  { roles }: Pick<Stage, 'roles'>,
  shares: readonly number[],
  stepMs: number,
  work: () => Promise<T>,
): Promise<T> {
  const { link } = roles;
  const asked = roles.server.facts.link;
  const rate = asked?.up.bitsPerSecond ?? null;
  if (!link || !asked || rate === null)
    throw new Error(
      `not available here: host ${roles.name} has no link whose rate can be changed; take one that has, as --host netns --link 'delay=20ms rate=100mbit' makes`,
    );
  const over = new AbortController();
  const began = performance.now();
  const changing = (async () => {
    for (let step = 0; !over.signal.aborted; step++) {
      const bitsPerSecond = Math.max(1, Math.round(rate * shares[step % shares.length]!));
      await link.change({ up: { ...asked.up, bitsPerSecond }, down: asked.down });
      const restMs = Math.max(0, began + (step + 1) * stepMs - performance.now());
      await pause(restMs, undefined, { signal: over.signal }).catch(() => {});
    }
  })();
  // A change that failed is told when the work is over.
  changing.catch(() => {});
  try {
    return await work();
  } finally {
    over.abort();
    await changing;
    await link.change(asked);
  }
}
