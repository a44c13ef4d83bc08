/**
 * The program that measures what a wait costs from TypeScript, and each event that it brings: native/cost/unread.h, with the
 * waits through src/dispatch, each of them one crossing into the addon. Options and line are the native program's.
 */
import { addon, addonPath } from '../src/addon.js';
import type { BackendName } from '../src/contract/common.js';
import { Event, Interest, openPoller, type Poller, REARM } from '../src/dispatch/poller.js';
import { monotonicNs } from '../src/process.js';
import { runProgram } from '../src/program.js';

interface CostExports {
  costOpen(args: readonly string[]): {
    backend: BackendName;
    maxEvents: number;
    /** that a round waits for */
    rows: number;
    /** descriptors, by pair */
    readers: Int32Array;
  };
  costMeasure(poller: number, round: () => number, program: string, nodeVersion: string): string;
}

/** @param pairs by slot */
function roundOf(poller: Poller, rows: number, pairs: Uint32Array): () => number {
  const { events } = poller;
  const { needsRearm } = poller.capabilities;
  const told = new Uint32Array(pairs.length);
  let rearms = 0;
  return () => {
    const start = monotonicNs();
    for (let left = rows; left > 0; ) {
      const count = poller.turn(rearms, -1);
      rearms = 0;
      for (let row = 0; row < count; row++) {
        if (!poller.isCurrent(row)) continue;
        const slot = events[row * Event.words + Event.slot]!;
        told[pairs[slot]!]!++;
        if (needsRearm) poller.change(rearms++, slot, REARM);
        left--;
      }
    }
    return monotonicNs() - start;
  };
}

await runProgram('dispatchbench-dispatch-cost', async () => {
  const native = addon<CostExports>();
  const { backend, maxEvents, rows, readers } = native.costOpen(process.argv.slice(2));
  const poller = openPoller({ backend, maxEvents, maxChanges: maxEvents });
  const slots = Array.from(readers, (descriptor) => poller.add(descriptor, Interest.read));
  const pairs = new Uint32Array(1 + slots.reduce((highest, slot) => Math.max(highest, slot), 0));
  slots.forEach((slot, pair) => {
    pairs[slot] = pair;
  });
  console.log(
    native.costMeasure(poller.handle, roundOf(poller, rows, pairs), addonPath, process.versions.node),
  );
});
