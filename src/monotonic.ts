/** The machine's monotonic clock without a crossing into the addon, for programs that read it several times a message. */
import { monotonicNs } from './process.js';

const TRIES = 20;

/** Of the closest of several pairs of readings: between two of them this process may have been off its CPU. */
function offsetNs(): number {
  let [best, offset] = [Number.POSITIVE_INFINITY, 0];
  for (let i = 0; i < TRIES; i++) {
    const before = performance.now();
    const ns = monotonicNs();
    const after = performance.now();
    if (after - before < best) [best, offset] = [after - before, ns - ((before + after) / 2) * 1e6];
  }
  return offset;
}

const offset = offsetNs();

/** Nanoseconds, comparable between processes of one machine. */
export const monotonicNow = (): number => performance.now() * 1e6 + offset;
