/**
 * The broker without clock, sockets and files: tasks come in and go to providers, results come back, providers vanish. Every
 * call says what is to be done, in this order; whoever carries it out writes a record down before he acts upon it: an answer is
 * given once its record is written.
 *
 * A task that was let in gets exactly one answer. It may run more than once: whose provider vanished, nobody knows how far it
 * got. The first result counts, and only of the provider that has the task; but for a share of the tasks, which several
 * providers run one after the other until two of three have come to the same.
 */
import type {
  Answer,
  BrokerStatus,
  BrokerSteps,
  OffloadScheduler,
  Outcome,
  Spent,
  Task,
} from '../../contract/offload.js';
import { type Bounds, Queue } from './queue.js';
import { type Candidate, type Scheduler, schedulers } from './schedulers.js';

export interface Settings {
  scheduler: OffloadScheduler;
  /** for what waits; what providers have at a time has no more bytes either */
  queue: Bounds;
  /** providers that a task is given to before it is given up */
  attempts: number;
  /** a task that came back waits so long, twice as long each time, milliseconds */
  backoff: { first: number; most: number };
  /** a provider has so much longer than the limits of its tasks, milliseconds */
  graceMs: number;
  /** answers that are kept for whoever asks again */
  kept: Bounds;
  /** percent of the tasks that are run by several providers, whose results are compared */
  verify: number;
}

/** What is written down, so that a broker that starts anew knows it. */
export type Entry = { accepted: Task } | { answered: Answer };

export type Effect =
  | { do: 'record'; entry: Entry }
  | { do: 'assign'; provider: number; assignment: number; task: Task }
  | { do: 'dismiss'; provider: number; reason: string }
  /** somebody may want to know */
  | { do: 'tell'; text: string };

/** A provider that cannot run this often in a row what it is given is of no use. */
const unablesInARow = 3;
/** Modules that a provider is remembered to hold. */
const mostHeld = 64;
/** Providers that come to a result of one task: of three, two agree or nobody does. */
const mostResults = 3;
/** Tasks with a result that wait for another one; further ones are not compared. */
const mostUndecided = 64;

/** What one provider came to. */
interface Result {
  /** by number and by name */
  by: number;
  provider: string;
  outcome: Outcome;
  steps: BrokerSteps;
  /** the outcome, such that like ones are equal */
  text: string;
}

interface Open {
  task: Task;
  bytes: number;
  attempts: number;
  acceptedAt: number;
  verify: boolean;
  results: Result[];
}

interface Assignment {
  open: Open;
  at: number;
  deadline: number;
}

interface Provider extends Candidate {
  name: string;
  holds: Set<string>;
  ahead: number;
  assignments: Map<number, Assignment>;
  unables: number;
}

type Counts = BrokerStatus['counts'];
type ProviderView = BrokerStatus['providers'][number];

const textBytes = (task: Task): number => JSON.stringify(task).length;
const answerBytes = ({ outcome }: Answer): number => JSON.stringify(outcome).length;

const outputsOf = (outcome: Outcome): string[] =>
  outcome.state === 'failed'
    ? [outcome.stderr ?? '']
    : [outcome.stdout, outcome.stderr, ...Object.values(outcome.files)];

const outputBytes = (outcome: Outcome): number =>
  Math.floor(
    (3 *
      outputsOf(outcome).reduce(
        (sum, text) => sum + text.length - (text.endsWith('==') ? 2 : text.endsWith('=') ? 1 : 0),
        0,
      )) /
      4,
  );

/** Like outcomes have one text: files in any order, and how somebody puts why it failed is of no matter. */
const comparable = (outcome: Outcome): string =>
  outcome.state === 'failed'
    ? 'failed'
    : JSON.stringify({
        ...outcome,
        files: Object.entries(outcome.files).sort(([a], [b]) => (a < b ? -1 : 1)),
      });

export class Dispatcher {
  readonly counts: Counts = {
    accepted: 0,
    answered: 0,
    late: 0,
    returned: 0,
    compared: 0,
    differing: 0,
    alone: 0,
  };
  readonly #queue: Queue<Open>;
  readonly #choose: Scheduler;
  readonly #providers = new Map<number, Provider & { done: number }>();
  /** every task that has no answer yet */
  readonly #open = new Map<string, Open>();
  /** oldest first */
  readonly #kept = new Map<string, { answer: Answer; bytes: number }>();
  #keptBytes = 0;
  /** of the tasks that providers have */
  #handedBytes = 0;
  /** those that have a result and are to have another one, with the bytes of their results */
  readonly #undecided = new Map<Open, number>();
  /** of these, those that no provider has */
  readonly #further = new Set<Open>();
  #nextProvider = 1;
  #nextAssignment = 1;

  /**
   * @param before what an earlier broker wrote down, in its order
   * @param random from 0 to 1, decides which tasks are compared: no provider may know that
   */
  constructor(
    readonly settings: Settings,
    before: Iterable<Entry> = [],
    now = 0,
    readonly random: () => number = Math.random,
  ) {
    this.#queue = new Queue(settings.queue);
    this.#choose = schedulers[settings.scheduler]();
    for (const entry of before) {
      if ('answered' in entry) {
        this.#open.delete(entry.answered.id);
        this.#keep(entry.answered);
      } else this.#open.set(entry.accepted.id, this.#openOf(entry.accepted, now));
    }
    // They were let in: bounds are for what comes now.
    for (const open of this.#open.values()) this.#queue.putBack(open, open.bytes, now);
  }

  get queued(): number {
    return this.#queue.length;
  }

  get openTasks(): number {
    return this.#open.size;
  }

  get providers(): ProviderView[] {
    return [...this.#providers.values()].map(({ name, workers, assigned, done }) => ({
      name,
      workers,
      assigned,
      done,
    }));
  }

  /** What a broker that starts anew has to know of all this. */
  *entries(): Generator<Entry> {
    for (const { answer } of this.#kept.values()) yield { answered: answer };
    for (const { task } of this.#open.values()) yield { accepted: task };
  }

  /** What became of a task; null: nobody has heard of it, or its answer is no longer kept. */
  stateOf(id: string): 'open' | Answer | null {
    return this.#open.has(id) ? 'open' : (this.#kept.get(id)?.answer ?? null);
  }

  /** A task that is known already is not let in a second time. @returns why not; null: it is in */
  submit(task: Task, now: number): { refused: string | null; effects: Effect[] } {
    if (this.stateOf(task.id) !== null) return { refused: null, effects: [] };
    const open = this.#openOf(task, now);
    const refused = this.#queue.put(open, open.bytes);
    if (refused !== null) return { refused, effects: [] };
    this.#open.set(task.id, open);
    this.counts.accepted += 1;
    return {
      refused: null,
      effects: [{ do: 'record', entry: { accepted: task } }, ...this.#hand(now)],
    };
  }

  /** @returns by what it is called here */
  join(about: { name: string; workers: number; ahead: number }, now: number): [number, Effect[]] {
    const id = this.#nextProvider++;
    this.#providers.set(id, {
      ...about,
      id,
      assigned: 0,
      holds: new Set(),
      last: 0,
      assignments: new Map(),
      unables: 0,
      done: 0,
    });
    return [id, this.#hand(now)];
  }

  /** It is gone, however that came. */
  leave(id: number, now: number): Effect[] {
    const provider = this.#providers.get(id);
    if (!provider) return [];
    this.#providers.delete(id);
    const effects = [...provider.assignments.values()].flatMap(({ open }) => {
      this.#handedBytes -= open.bytes;
      return this.#back(open, `${provider.name} vanished with it`, now);
    });
    return [...effects, ...this.#hand(now)];
  }

  result(
    id: number,
    {
      assignment,
      module,
      outcome,
      spent,
    }: { assignment: number; module: string; outcome: Outcome; spent: Spent },
    now: number,
  ): Effect[] {
    const taken = this.#taken(id, assignment);
    if (!taken) return [];
    const { provider, given } = taken;
    const { open } = given;
    const wrong = this.#wrong(open.task, module, outcome);
    if (wrong !== null)
      return [
        { do: 'dismiss', provider: id, reason: wrong },
        ...this.#back(open, `${provider.name} answered it wrongly: ${wrong}`, now),
        ...this.leave(id, now),
      ];
    provider.unables = 0;
    provider.done += 1;
    open.results.push({
      by: id,
      provider: provider.name,
      outcome,
      steps: { queue: given.at - open.acceptedAt, away: now - given.at, spent },
      text: open.verify ? comparable(outcome) : '',
    });
    return [...this.#settle(open, now), ...this.#hand(now)];
  }

  unable(id: number, assignment: number, reason: string, now: number): Effect[] {
    const taken = this.#taken(id, assignment);
    if (!taken) return [];
    const { provider, given } = taken;
    const effects = this.#back(given.open, `${provider.name} could not run it: ${reason}`, now);
    provider.unables += 1;
    if (provider.unables < unablesInARow) return [...effects, ...this.#hand(now)];
    const why = `it could not run ${unablesInARow} tasks in a row, the last because: ${reason}`;
    return [...effects, { do: 'dismiss', provider: id, reason: why }, ...this.leave(id, now)];
  }

  /** Time has passed: providers that are silent are given up, tasks that came back are handed out again. */
  tick(now: number): Effect[] {
    const silent = [...this.#providers.values()].filter(({ assignments }) =>
      [...assignments.values()].some(({ deadline }) => deadline < now),
    );
    const effects = silent.flatMap(({ id }): Effect[] => [
      { do: 'dismiss', provider: id, reason: 'it was silent for longer than its tasks may take' },
      ...this.leave(id, now),
    ]);
    return [...effects, ...this.#hand(now)];
  }

  #taken(id: number, assignment: number) {
    const provider = this.#providers.get(id);
    const given = provider?.assignments.get(assignment);
    if (!provider || !given) {
      this.counts.late += 1;
      return null;
    }
    provider.assignments.delete(assignment);
    provider.assigned -= 1;
    this.#handedBytes -= given.open.bytes;
    return { provider, given };
  }

  /** What no honest provider says; null: it may be true. */
  #wrong(task: Task, module: string, outcome: Outcome): string | null {
    if (module !== task.module) return `it ran the module ${module} where ${task.module} was asked for`;
    const bytes = outputBytes(outcome);
    if (bytes > task.limits.outputBytes)
      return `its result has ${bytes} bytes where ${task.limits.outputBytes} are allowed`;
    if (outcome.state === 'done' && Object.keys(outcome.files).some((path) => !task.outputs.includes(path)))
      return 'its result has files that nobody asked for';
    return null;
  }

  #back(open: Open, why: string, now: number): Effect[] {
    this.counts.returned += 1;
    const { first, most } = this.settings.backoff;
    if (open.results.length > 0) {
      if (open.attempts >= this.settings.attempts) return this.#decide(open, now);
      this.#further.add(open);
      return [];
    }
    if (open.attempts >= this.settings.attempts) {
      const reason = `given up after ${open.attempts} providers: ${why}`.slice(0, 1000);
      return this.#answer({
        id: open.task.id,
        outcome: { state: 'failed', reason },
        attempts: open.attempts,
        provider: null,
        steps: null,
        total: now - open.acceptedAt,
      });
    }
    this.#queue.putBack(open, open.bytes, now + Math.min(most, first * 2 ** (open.attempts - 1)));
    return [];
  }

  /** Answers it, or has it run once more. */
  #settle(open: Open, now: number): Effect[] {
    const { results, verify } = open;
    const last = results.at(-1)!;
    const agreed = results.filter(({ text }) => text === last.text).length > 1;
    if (!verify || agreed || results.length === mostResults) return this.#decide(open, now);
    const bytes = results.reduce((sum, { outcome }) => sum + JSON.stringify(outcome).length, 0);
    this.#undecided.set(open, bytes);
    const all = [...this.#undecided.values()].reduce((sum, one) => sum + one, 0);
    if (this.#undecided.size > mostUndecided || all > this.settings.queue.bytes)
      return this.#decide(open, now);
    this.#further.add(open);
    return [];
  }

  /** The result that most have come to, of equals the first one. */
  #decide(open: Open, now: number): Effect[] {
    const { task, attempts, acceptedAt, verify, results } = open;
    this.#undecided.delete(open);
    this.#further.delete(open);
    const like = ({ text }: Result) => results.filter((one) => one.text === text).length;
    const best = results.reduce((most, one) => (like(one) > like(most) ? one : most));
    const { provider, outcome, steps } = best;
    const answered: Answer = {
      id: task.id,
      outcome,
      attempts,
      provider,
      // What it waited for others is part of its way to an answer.
      steps: { ...steps, queue: verify ? now - acceptedAt - steps.away : steps.queue },
      total: now - acceptedAt,
    };
    const told: Effect[] = [];
    if (results.length > 1) {
      const others = results.filter(({ text }) => text !== best.text).map((one) => one.provider);
      this.counts.compared += 1;
      this.counts.differing += others.length;
      answered.compared = { results: results.length, agreeing: like(best) };
      if (others.length > 0) {
        const by = `${results.length} providers, ${like(best)} alike (${provider}), not ${others.join(' and ')}`;
        told.push({ do: 'tell', text: `results of task ${task.id} differ: ${by}` });
      }
    } else if (verify) this.counts.alone += 1;
    return [...told, ...this.#answer(answered)];
  }

  #answer(answered: Answer): Effect[] {
    this.#open.delete(answered.id);
    this.counts.answered += 1;
    this.#keep(answered);
    return [{ do: 'record', entry: { answered } }];
  }

  #keep(answered: Answer): void {
    const bytes = answerBytes(answered);
    this.#kept.set(answered.id, { answer: answered, bytes });
    this.#keptBytes += bytes;
    const { tasks, bytes: most } = this.settings.kept;
    for (const [id, oldest] of this.#kept) {
      if (this.#kept.size <= tasks && this.#keptBytes <= most) break;
      this.#kept.delete(id);
      this.#keptBytes -= oldest.bytes;
    }
  }

  #candidates(all: readonly Provider[]): readonly Provider[] {
    const idle = all.filter(({ assigned, workers }) => assigned < workers);
    // Only where no worker is idle does a task wait at a provider instead of here.
    return idle.length > 0 ? idle : all.filter(({ assigned, workers, ahead }) => assigned < workers + ahead);
  }

  #hand(now: number): Effect[] {
    const effects: Effect[] = [];
    for (const open of [...this.#further]) {
      const others = [...this.#providers.values()].filter(({ id }) =>
        open.results.every(({ by }) => by !== id),
      );
      if (others.length === 0) {
        effects.push(...this.#decide(open, now));
        continue;
      }
      const candidates = this.#candidates(others);
      if (candidates.length === 0) continue;
      this.#further.delete(open);
      effects.push(this.#give(open, candidates, now));
    }
    for (;;) {
      const open = this.#queue.peek(now);
      if (open === null) return effects;
      if (this.#handedBytes > 0 && this.#handedBytes + open.bytes > this.settings.queue.bytes) return effects;
      const candidates = this.#candidates([...this.#providers.values()]);
      if (candidates.length === 0) return effects;
      this.#queue.take();
      effects.push(this.#give(open, candidates, now));
    }
  }

  #give(open: Open, candidates: readonly Provider[], now: number): Effect {
    const provider = this.#choose(candidates, open.task.module);
    const assignment = this.#nextAssignment++;
    provider.assigned += 1;
    provider.last = assignment;
    provider.holds.add(open.task.module);
    if (provider.holds.size > mostHeld) provider.holds.delete([...provider.holds][0]!);
    open.attempts += 1;
    // Those before it at the same worker may take all their time as well.
    const before = [...provider.assignments.values()].reduce(
      (sum, { open: { task } }) => sum + task.limits.ms,
      0,
    );
    const deadline = now + open.task.limits.ms + before + this.settings.graceMs;
    provider.assignments.set(assignment, { open, at: now, deadline });
    this.#handedBytes += open.bytes;
    return { do: 'assign', provider: provider.id, assignment, task: open.task };
  }

  #openOf(task: Task, now: number): Open {
    const verify = this.random() * 100 < this.settings.verify;
    return { task, bytes: textBytes(task), attempts: 0, acceptedAt: now, verify, results: [] };
  }
}
