/**
 * Ends what runs too long within this thread, by the watchdog of node:vm. It is a thread of its own for each call, which
 * costs several times what a fresh instance of a small module does, so a gateway that was not asked for it goes without.
 */
import { createContext, Script } from 'node:vm';
import { Refusal } from './refusal.js';

/** @returns `work`, which throws a Refusal when it has not ended after `deadlineMs`; 0: no deadline */
export function withDeadline<T>(deadlineMs: number, work: () => T): () => T {
  if (deadlineMs === 0) return work;
  const context = createContext({ work });
  const script = new Script('work()');
  return () => {
    try {
      return script.runInContext(context, { timeout: deadlineMs });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'ERR_SCRIPT_EXECUTION_TIMEOUT') throw error;
      throw new Refusal(504, `the module ran longer than ${deadlineMs} ms`);
    }
  };
}
