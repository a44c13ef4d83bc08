import type { Bound } from './hello.js';

/** What a server makes of the rows of a turn. */
export interface EngineService {
  readonly bound: Bound;
  /**
   * @param count rows that the last turn brought
   * @returns how many replies wait for the next turn
   */
  take(count: number): number;
  /** Brings the counts of what the engine does by itself up to date. */
  count(): void;
}
