/**
 * Sees all members of a simulated Raft at once, and holds them after every step to figure 3 of the extended paper: election
 * safety, log matching, leader completeness, state machine safety.
 */
import type { Entry, Snapshot } from '../raft/log.js';
import type { RaftState } from '../raft/state.js';
import { sameBytes, Violation } from './violation.js';

interface Known {
  entry: Entry;
  previousTerm: number;
}

interface Committed {
  entry: Entry;
  /** of who committed it first */
  inTerm: number;
}

const sameEntry = (a: Entry, b: Entry): boolean =>
  a === b || (a.term === b.term && sameBytes(a.command, b.command));

export class RaftWitness {
  readonly committed: Committed[] = [];
  readonly #leaders = new Map<number, number>();
  /** every entry that any log ever had, by index and term */
  readonly #known = new Map<number, Known>();
  /** by member, what its log was when it was last looked at */
  readonly #seen: { base: number; entries: readonly Entry[] }[] = [];
  readonly #commits: number[] = [];
  readonly #ledIn: number[] = [];
  /** state of the machine after each committed entry, as bytes */
  readonly #states: Uint8Array[] = [];

  /** @throws Violation */
  afterStep(all: readonly (RaftState | null)[], state: RaftState): void {
    this.#logMatching(state);
    this.#stateMachineSafety(all, state);
    if (state.role === 'leader') this.#asLeader(state);
  }

  /** A member begins anew from its disk. */
  restarted(member: number): void {
    this.#commits[member] = 0;
    this.#seen[member] = { base: 0, entries: [] };
    this.#ledIn[member] = 0;
  }

  /** The machine of any member after the entry `index`. @throws Violation */
  state(index: number, snapshot: Uint8Array): void {
    const known = this.#states[index];
    if (known === undefined) this.#states[index] = snapshot;
    else if (!sameBytes(known, snapshot))
      throw new Violation('state machine safety', `two states after entry ${index}`);
  }

  /** @throws Violation */
  snapshot({ index, term, data }: Snapshot): void {
    if (this.committed[index - 1]?.entry.term !== term)
      throw new Violation(
        'state machine safety',
        `a snapshot at ${index} of term ${term} stands for no committed entry`,
      );
    this.state(index, data);
  }

  /** If two logs have an entry of the same index and term, they are alike up to it: by induction, if it and its predecessor are. */
  #logMatching({ config, log }: RaftState): void {
    const seen = this.#seen[config.id];
    const shift = seen ? log.base - seen.base : 0;
    let changed = seen === undefined;
    for (const [i, entry] of log.entries.entries()) {
      if (seen?.entries[i + shift] === entry) continue;
      changed = true;
      const index = log.base + 1 + i;
      const previousTerm = log.termAt(index - 1)!;
      const name = index * 1_000_000 + entry.term;
      const known = this.#known.get(name);
      if (known === undefined) this.#known.set(name, { entry, previousTerm });
      else if (!sameEntry(known.entry, entry) || known.previousTerm !== previousTerm)
        throw new Violation('log matching', `two logs differ up to index ${index} of term ${entry.term}`);
    }
    if (changed || shift !== 0 || seen?.entries.length !== log.entries.length)
      this.#seen[config.id] = { base: log.base, entries: [...log.entries] };
  }

  #stateMachineSafety(all: readonly (RaftState | null)[], { config, commit, log, term }: RaftState): void {
    const before = this.#commits[config.id] ?? 0;
    if (commit < before)
      throw new Violation('state machine safety', `commit went back from ${before} to ${commit}`);
    if (commit > log.lastIndex)
      throw new Violation(
        'state machine safety',
        `commit ${commit} is beyond the log's end ${log.lastIndex}`,
      );
    for (let index = Math.max(before, log.base) + 1; index <= commit; index++) {
      const entry = log.at(index)!;
      const known = this.committed[index - 1];
      if (known === undefined) {
        this.committed[index - 1] = { entry, inTerm: term };
        for (const other of all)
          if (other?.role === 'leader' && other.term > term) this.#isComplete(other, index - 1);
      } else if (!sameEntry(known.entry, entry)) {
        throw new Violation('state machine safety', `two entries were committed at index ${index}`);
      }
    }
    this.#commits[config.id] = commit;
  }

  #asLeader(state: RaftState): void {
    const { config, term } = state;
    const known = this.#leaders.get(term);
    if (known !== undefined && known !== config.id)
      throw new Violation('election safety', `${known} and ${config.id} lead in term ${term}`);
    this.#leaders.set(term, config.id);
    if (this.#ledIn[config.id] === term) return;
    this.#ledIn[config.id] = term;
    this.#isComplete(state, 0);
  }

  /** What was committed in an earlier term is in this leader's log, or in its snapshot. */
  #isComplete({ config, term, log }: RaftState, from: number): void {
    for (let index = Math.max(from, log.base) + 1; index <= this.committed.length; index++) {
      const known = this.committed[index - 1];
      if (known === undefined || known.inTerm >= term) continue;
      const own = log.at(index);
      if (own === undefined || !sameEntry(own, known.entry))
        throw new Violation(
          'leader completeness',
          `${config.id} leads in term ${term} without entry ${index}`,
        );
    }
  }
}
