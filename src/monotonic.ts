/** The machine's monotonic clock without a crossing into the addon, for programs that read it several times a message. */
import { monotonicNs } from './process.js';

const offset = monotonicNs() - performance.now() * 1e6;

/** Nanoseconds, comparable between processes of one machine. */
export const monotonicNow = (): number => performance.now() * 1e6 + offset;
