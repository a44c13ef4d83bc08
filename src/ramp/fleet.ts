/**
 * The coordinator's side: several load machines as one client. Offered load is split by capacity, all start at one
 * instant, and what they measured is merged; a machine that dies or saturates is named and the step is marked.
 */
import type { AgentFacts, Job, Report } from '../contract/agent.js';
import type { SessionResult, SessionSpec } from '../contract/ramp.js';
import { type ClockEstimate, toOurs, toTheirs } from '../hosts/clock.js';
import { monotonicNs } from '../process.js';
import { longestMs } from '../programs/session.js';
import { type AgentLink, Member, type Patience, usualPatience } from './member.js';
import { mergeResults } from './merge.js';
import { checkPart } from './part.js';
import { splitLoad } from './split.js';

/** One client's part of a step. */
export interface Part {
  name: string;
  /** connections per second it was asked for; 0: none of this step's load fell to it */
  rate: number;
  result: SessionResult | null;
  /** its turn comes so long after the common start */
  offsetNs: number;
  /** first connection later than its turn, on our clock; null when it does not say */
  startSkewNs: number | null;
  /** half the shortest round trip: how well its clock is known */
  clockBoundNs: number;
  /** why its part does not count, or doubts about it; one sentence each */
  problems: string[];
}

export interface FleetStep {
  /** merged over the clients that answered; null when none did */
  result: SessionResult | null;
  parts: Part[];
  /** all problems, with the client's name */
  problems: string[];
}

const PINGS = 16;
/** From "all are ready" to the start: time for the start signal to reach the slowest. */
const LEAD_NS = 300e6;

export class Fleet {
  #lastJob = 0;
  readonly #heart: NodeJS.Timeout;

  private constructor(
    private readonly members: Member[],
    private readonly release: () => Promise<void>,
    private readonly patience: Patience,
  ) {
    this.#heart = setInterval(() => {
      for (const member of this.members) if (!member.gone) member.beat();
    }, patience.beatMs);
  }

  /**
   * Waits until every client has registered and its clock is known. `release` frees what carries the links.
   * @throws Error naming the first client that fails
   */
  static async open(
    links: readonly AgentLink[],
    release = async (): Promise<void> => {},
    patience = usualPatience,
  ): Promise<Fleet> {
    const members = links.map((link) => new Member(link, patience));
    try {
      await Promise.all(members.map((member) => member.register()));
      const names = members.map(({ name }) => name);
      const double = names.find((name, index) => names.indexOf(name) !== index);
      if (double) throw new Error(`two clients are both called '${double}': give them names with --name`);
    } catch (error) {
      for (const { link } of members) link.close();
      throw error;
    }
    const fleet = new Fleet(members, release, patience);
    await fleet.#synchronise();
    const [lost] = fleet.dropped;
    if (lost === undefined) return fleet;
    await fleet.close().catch(() => {}); // what went wrong first is what is to be known
    throw new Error(lost);
  }

  /** Clients that were given up, each with its reason in one sentence. */
  get dropped(): string[] {
    return this.members.flatMap(({ gone }) => gone ?? []);
  }

  get clients(): { name: string; facts: AgentFacts }[] {
    return this.members.map(({ name, facts }) => ({ name, facts }));
  }

  /** Runs one step on all clients that are alive. @throws Error when none is */
  async run(kind: Job['kind'], spec: SessionSpec): Promise<FleetStep> {
    await this.#synchronise();
    const before = this.members.filter(({ gone }) => gone);
    const alive = this.members.filter(({ gone }) => !gone);
    if (alive.length === 0) throw new Error(`no client is left: ${this.dropped.join('; ')}`);
    const id = ++this.#lastJob;
    const shares = splitLoad(
      spec,
      alive.map(({ facts }) => facts.cores),
    );

    // Prepared first, all of them, so that the start finds processes that only wait for their instant.
    const working = alive.flatMap((member, index) => {
      const share = shares[index];
      if (!share) return [];
      const { readyMs, resultMs } = this.patience;
      const ready = member.expect(id, 'ready', readyMs);
      // Listened to from the beginning: a client may fail before it was ever ready.
      const result = member.expect(id, 'result', readyMs + longestMs(share, resultMs));
      result.catch(() => {});
      member.link.send({ type: 'job', id, job: { kind, spec: share } });
      return [{ member, share, ready, result }];
    });
    await Promise.allSettled(working.map(({ ready }) => ready));
    const startNs = monotonicNs() + LEAD_NS;
    for (const { member } of working)
      if (!member.gone)
        member.link.send({ type: 'start', id, atNs: Math.round(toTheirs(member.clock(), startNs)) });

    const parts = await Promise.all(
      working.map(async ({ member, share, ready, result }): Promise<Part> => {
        const offsetNs = share.part?.offsetNs ?? 0;
        const part = { name: member.name, rate: share.rate, offsetNs, clockBoundNs: member.clock().boundNs };
        try {
          await ready;
          const frame = (await result) as Extract<Report, { type: 'result' }>;
          const wrong = checkPart(frame.result, share);
          if (wrong) member.end(`${member.name} sent a result that cannot be: ${wrong}`);
          if (member.gone) throw new Error(member.gone);
          return { ...part, ...measured(frame, member.clock(), startNs + offsetNs) };
        } catch (error) {
          if (!member.gone) member.link.send({ type: 'stop', id });
          return { ...part, result: null, startSkewNs: null, problems: [(error as Error).message] };
        }
      }),
    );
    const results = parts.flatMap(({ result }) => (result ? [result] : []));
    return {
      result: results.length > 0 ? mergeResults(results) : null,
      parts,
      problems: [
        ...before.map(({ name, gone }) => `client ${name} was given up before: ${gone}`),
        ...parts.flatMap(({ name, problems }) => problems.map((problem) => `client ${name}: ${problem}`)),
      ],
    };
  }

  /** @throws Error with one sentence when the clients may not have been told */
  async close(): Promise<void> {
    clearInterval(this.#heart);
    for (const member of this.members) if (!member.gone) member.leave();
    await this.release();
  }

  async #synchronise(): Promise<void> {
    const alive = this.members.filter(({ gone }) => !gone);
    for (let round = 0; round < PINGS; round += 1) {
      for (const member of alive) member.ping();
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    const deadline = Date.now() + this.patience.silenceMs;
    while (alive.some((member) => !member.gone && member.exchanges === 0) && Date.now() < deadline)
      await new Promise((resolve) => setTimeout(resolve, 20));
    for (const member of alive)
      if (member.exchanges === 0) member.end(`${member.name} does not answer pings`);
  }
}

function measured(
  { result }: Extract<Report, { type: 'result' }>,
  clock: ClockEstimate,
  turnNs: number,
): Pick<Part, 'result' | 'startSkewNs' | 'problems'> {
  return {
    result,
    startSkewNs: result.detail ? toOurs(clock, result.detail.startedAtNs) - turnNs : null,
    problems: (result.detail?.saturation ?? []).map((reason) => `saturated: ${reason}`),
  };
}
