/**
 * A sweep divided among hosts: which parts of it are carried out where. A part is cells that are compared, which stay on one host.
 * Hosts that work on the same CPUs take turns, so that the time of a machine is what is divided.
 */
import type { Division } from '../contract/run.js';
import { balance } from './placement/balance.js';
import type { Unplaced } from './placement/place.js';
import type { Problem } from './placement/problem.js';

export interface Part {
  name: string;
  /** what its trials take, milliseconds */
  ms: number;
  /** hosts that can have it, by index */
  hosts: readonly number[];
}

export interface Lane {
  name: string;
  /** hosts with the same one take turns */
  lane: number;
}

export interface Divided {
  /** by part, its host */
  where: readonly number[];
  /** by lane, how long it works, milliseconds */
  lanesMs: readonly number[];
  /** when the last one has ended */
  makespanMs: number;
}

/** How long each lane works when the parts are there. */
export function lanesOf(parts: readonly Part[], hosts: readonly Lane[], where: readonly number[]): Divided {
  const lanesMs = new Array<number>(1 + Math.max(...hosts.map(({ lane }) => lane))).fill(0);
  for (const [at, { ms }] of parts.entries()) lanesMs[hosts[where[at]!]!.lane]! += ms;
  return { where, lanesMs, makespanMs: Math.max(...lanesMs) };
}

/** Each part to the next host that can have it, whatever it takes. */
function inTurn(parts: readonly Part[], hosts: readonly Lane[]): number[] {
  let next = 0;
  return parts.map(({ hosts: able }) => {
    const steps = hosts.findIndex((_, step) => able.includes((next + step) % hosts.length));
    const host = (next + steps) % hosts.length;
    next = host + 1;
    return host;
  });
}

const inSeconds = (ms: number) => Math.round(ms / 100) / 10;

/** Time as what lanes have, so that what is even is what ends together. */
function problemOf(
  parts: readonly Part[],
  hosts: readonly Lane[],
  lanes: number,
  budgetMs: number | null,
): Problem {
  const all = parts.reduce((sum, { ms }) => sum + inSeconds(ms), 0);
  const namesOf = (lane: number) => hosts.filter((one) => one.lane === lane).map(({ name }) => name);
  return {
    resources: ['seconds for a block'],
    items: parts.map(({ name, ms, hosts: able }) => ({
      name,
      takes: [inSeconds(ms)],
      only: [...new Set(able.map((host) => hosts[host]!.lane))],
    })),
    hosts: Array.from({ length: lanes }, (_, lane) => ({
      name: namesOf(lane).join(' and '),
      has: [budgetMs === null ? all : inSeconds(budgetMs)],
    })),
    together: [],
    apart: [],
    near: [],
    latencyMs: [],
  };
}

/**
 * Balanced: no lane works longer than it must, as far as is found; of hosts that take turns any may have a part, since only
 * the sum counts.
 * @param budgetMs that a lane has; null: as long as it takes
 */
export function divide(
  parts: readonly Part[],
  hosts: readonly Lane[],
  division: Division,
  budgetMs: number | null,
): Divided | Unplaced {
  const nowhere = parts.find(({ hosts: able }) => able.length === 0);
  if (nowhere) return { placement: null, proven: true, reason: `no host can have ${nowhere.name}` };
  if (parts.length === 0) return lanesOf(parts, hosts, []);
  const turns = lanesOf(parts, hosts, inTurn(parts, hosts));
  if (division === 'round-robin') return turns;
  const found = balance(problemOf(parts, hosts, turns.lanesMs.length, budgetMs));
  if (found.placement === null) return found;
  const busy = hosts.map(() => 0);
  const where = parts.map(({ ms, hosts: able }, at) => {
    const there = able.filter((host) => hosts[host]!.lane === found.placement[at]);
    const host = there.reduce((least, one) => (busy[one]! < busy[least]! ? one : least));
    busy[host]! += ms;
    return host;
  });
  return lanesOf(parts, hosts, where);
}
