/**
 * Loads in rotation: all servers stand at the same time, each beside its idle connections, and short windows go round
 * over them in a shuffled order, the same window of one server's idle levels one after the other. A state of the machine
 * that outlasts a round then meets all of them alike, one that outlasts two windows those that are compared first, and
 * nothing waits for programs to start. What one generation of servers measured is one trial of each: programs differ from
 * start to start by more than windows do, so only generations are independent.
 */
import type { HostProcess } from '../hosts/host.js';
import { standingLoad, standingLoadProgram } from '../programs/load.js';
import { follow } from '../stage/drive.js';
import { mergeWindows, sumSpans } from '../stage/merge.js';
import type { Stage } from '../stage/stage.js';
import { type Random, shuffled } from '../statistics/random.js';
import type { Member } from './kind.js';
import { refused } from './load-gates.js';
import {
  type Drive,
  type LoadMeasurement,
  type LoadTrial,
  type LoadWindow,
  measure,
  type Standing,
  stand,
} from './load-window.js';
import { cpuUs } from './served.js';

/** A server is offered no more than keeps it busy for this share: beyond it requests wait for each other. */
const easyShare = 0.8;
/** The same by what a request alone costs in a closed loop, which finds the caches warm. */
const loneShare = 0.5;
/** A server's first windows are not measured: its code is compiled in them. */
const warmUpMs = 60;
/** Time in which a server is tried at the rate that was asked, and if need be with one request at a time. */
const triedMs = 40;
/** Who needs no more than this share of its time, or so much more than all of it, is not tried again. */
const plainShare = 0.6;
const hopelessShare = 1.5;
/** Of the requests that it was offered then, it has answered at least so many. */
const heldShare = 0.95;
/** The majority of so many decides: a moment's disturbance, or code not yet compiled, is no reason to offer less. */
const tries = 3;
/** A window at a low rate lasts until so many requests are due, */
const fewestRequests = 5;
/** but not longer. */
const longestMs = 100;
/** Further rounds, in which windows are taken again that a gate made invalid: a disturbance passes, a broken set-up does not. */
const secondLooks = 1;

type LoadMember = Member<LoadTrial, LoadMeasurement>;

/** A window's measurements, those that count and those that do not. */
interface Taken {
  window: LoadWindow;
  good: LoadMeasurement[];
  doubtful: LoadMeasurement[];
}

/** One that stands, and what it has measured. */
interface Competitor {
  member: LoadMember;
  standing: Standing;
  /** highest open rate that it holds at ease, requests/s */
  easyRate: number;
  windows: readonly Taken[];
  broken: boolean;
}

/** The client of all of them: it stands as well, and is started anew when it broke. */
class StandingClient {
  private client: HostProcess | null = null;

  constructor(private readonly stage: Stage) {}

  readonly drive =
    (stage: Stage): Drive =>
    (servers, loads, window) => {
      if (this.client === null || this.client.ended() !== null)
        this.client = this.stage.start('client', 'load client', standingLoadProgram(stage.pinning.client));
      for (const one of loads) this.client.send(standingLoad(one));
      return follow(stage, servers, [this.client], window);
    };
}

/** Highest of 1, 2, 5, 10, ... that is not above `rate`; at least 1. */
function easyRate(rate: number): number {
  const decade = 10 ** Math.floor(Math.log10(Math.max(1, rate)));
  return decade * ([5, 2, 1].find((step) => step * decade <= rate) ?? 1);
}

/** CPU time of a request, microseconds. */
const costUs = (measured: LoadMeasurement): number => cpuUs(measured) / Math.max(1, measured.load.replies);

/** What lies in a row, as one. Where nothing counts, what does not is handed over for its gates to be seen. */
function summed({ window, good, doubtful }: Taken): LoadMeasurement {
  const counting = good.length > 0 ? good : doubtful;
  const [first, last] = [counting[0]!, counting.at(-1)!];
  const offered = first.load.offeredRate;
  return {
    ...first,
    idle: last.idle,
    load: mergeWindows(counting.map(({ load }) => load)),
    windows: counting.length,
    retaken: good.length > 0 ? doubtful.length : 0,
    askedRate: offered !== null && window.rate !== null && offered < 0.9 * window.rate ? window.rate : null,
    ...sumSpans(counting),
  };
}

/** @throws Error of the first member when none stands */
async function allStanding(members: readonly LoadMember[]): Promise<Competitor[]> {
  const found = await Promise.all(
    members.map(async (member): Promise<Competitor | Error> => {
      try {
        const standing = await stand(member.spec, member.stage);
        const windows = member.spec.windows.map((window): Taken => ({ window, good: [], doubtful: [] }));
        return { member, standing, easyRate: Number.POSITIVE_INFINITY, windows, broken: false };
      } catch (error) {
        member.failed(error as Error);
        return error as Error;
      }
    }),
  );
  const standing = found.flatMap((one) => (one instanceof Error ? [] : [one]));
  if (standing.length === 0) throw found[0];
  return standing;
}

/** Those of one server, at its idle levels, belong together. */
function byServer(all: readonly Competitor[]): Competitor[][] {
  const groups = new Map<string, Competitor[]>();
  for (const one of all) {
    const server = JSON.stringify(one.member.spec.subject);
    groups.set(server, [...(groups.get(server) ?? []), one]);
  }
  return [...groups.values()];
}

/** Those that stand, and the client that drives them in turn. */
class Rotation {
  private readonly client: StandingClient;

  constructor(
    private readonly competitors: readonly Competitor[],
    stage: Stage,
    private readonly random: Random,
  ) {
    this.client = new StandingClient(stage);
  }

  /** Finds what each holds at ease, in windows that are not measured. */
  warmUp(): Promise<void> {
    return this.each(this.competitors, async (one) => {
      const { windows } = one.member.spec;
      await this.take(one, { ...windows[0]!, rate: null, warmupMs: 0, durationMs: warmUpMs });
      for (const window of windows) {
        const tried = { ...window, durationMs: triedMs };
        if (window.rate === null || (await this.holdsAtEase(one, tried))) continue;
        const lone = await this.take(one, { ...tried, rate: null, connections: 1, warmupMs: 0 });
        one.easyRate = easyRate((loneShare * 1e6) / Math.max(1, costUs(lone)));
      }
    });
  }

  /** Every window that is `wanted`, those of one server's idle levels one after the other. */
  async round(wanted: (taken: Taken) => boolean): Promise<void> {
    for (const levels of shuffled(byServer(this.competitors), this.random)) {
      for (const at of shuffled([...levels[0]!.windows.keys()], this.random)) {
        await this.each(levels, async (one) => {
          const taken = one.windows[at]!;
          if (wanted(taken)) await this.measure(one, taken);
        });
      }
    }
  }

  private async measure(one: Competitor, { window, good, doubtful }: Taken): Promise<void> {
    const rate = window.rate === null ? null : Math.min(window.rate, one.easyRate);
    const dueMs = rate === null ? 0 : Math.min(longestMs, (1000 * fewestRequests) / rate);
    const durationMs = Math.max(window.durationMs, dueMs);
    const measured = await this.take(one, { ...window, rate, durationMs });
    const link = one.member.stage.roles.server.facts.link ?? null;
    (refused(window.name, measured, link) ? doubtful : good).push(measured);
  }

  /** By the majority of its tries: one alone may fall into a disturbance, or into a batch that a late client made. */
  private async holdsAtEase(one: Competitor, window: LoadWindow): Promise<boolean> {
    for (let held = 0, missed = 0; ; ) {
      const tried = await this.take(one, window);
      // Not the busy share: a snapshot some milliseconds after so short a window dilutes it.
      const busy = (costUs(tried) * tried.load.offeredRate!) / 1e6;
      const holds = busy <= easyShare && tried.load.replies >= heldShare * tried.load.requests;
      if (holds) held++;
      else missed++;
      if (busy > hopelessShare) return false;
      if (holds && busy <= plainShare) return true;
      if (Math.max(held, missed) > tries / 2) return held > missed;
    }
  }

  private take({ member, standing }: Competitor, window: LoadWindow): Promise<LoadMeasurement> {
    return measure(member.spec, member.stage, standing, window, this.client.drive(member.stage));
  }

  /** One after the other in a random order; who cannot go on is out. */
  private async each(some: readonly Competitor[], work: (one: Competitor) => Promise<void>): Promise<void> {
    for (const one of shuffled(some, this.random)) {
      if (one.broken) continue;
      try {
        await work(one);
      } catch (error) {
        one.broken = true;
        one.member.failed(error as Error);
      }
    }
  }
}

/** @param members all on the same hosts, with windows of the same names */
export async function rotate(
  members: readonly LoadMember[],
  random: Random,
  round: (index: number, rounds: number) => void,
): Promise<void> {
  const [{ stage, spec }] = members as [LoadMember];
  const competitors = await allStanding(members);
  const rotation = new Rotation(competitors, stage, random);
  await stage.settle();
  await stage.watchNetwork();
  await rotation.warmUp();
  const { rounds = 0 } = spec;
  for (let index = 1; index <= rounds + secondLooks; index++) {
    const least = Math.min(index, rounds);
    const wanted = ({ good, doubtful }: Taken) =>
      good.length < least && good.length + doubtful.length < index;
    if (!competitors.some(({ broken, windows }) => !broken && windows.some(wanted))) break;
    round(least, rounds);
    await rotation.round(wanted);
  }
  for (const { member, windows, broken } of competitors) {
    if (broken) continue;
    for (const taken of windows) member.done(taken.window.name, summed(taken));
  }
}
