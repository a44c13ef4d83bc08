/**
 * The same problem as an integer program, for a solver that proves what is optimal: x says which unit is on which host, y which
 * hosts are used. Written in the LP format of CPLEX, which solvers read.
 */
import { fewestHosts } from './bound.js';
import { distanceMs, type Placement } from './problem.js';
import { placementOf, type Units } from './units.js';

/** hosts: as few as can be; share: the fullest resource of any host as little full as can be */
export type Goal = 'hosts' | 'share';

const x = (unit: number, host: number) => `x_${unit}_${host}`;
const y = (host: number) => `y_${host}`;

/** Hosts that nothing tells apart: then only one of all orders of them has to be looked at. */
function interchangeable({ problem: { hosts, near }, units }: Units): boolean {
  const [first] = hosts;
  return (
    near.length === 0 &&
    units.every(({ allowed }) => allowed.every((is) => is === 1)) &&
    hosts.every(({ has }) => has.every((amount, at) => amount === first!.has[at]))
  );
}

export function integerProgram(all: Units, goal: Goal): string {
  const { problem, units } = all;
  const { hosts, resources } = problem;
  const alike = interchangeable(all);
  /** the n-th unit is on one of the first n hosts, in some order of the hosts */
  const may = (unit: number, host: number) => units[unit]!.allowed[host] === 1 && (!alike || host <= unit);
  const hostsOf = (unit: number) => [...hosts.keys()].filter((host) => may(unit, host));
  const there = (host: number) => [...units.keys()].filter((unit) => may(unit, host));
  const rows: string[] = [];
  for (const unit of units.keys())
    rows.push(
      `${hostsOf(unit)
        .map((host) => x(unit, host))
        .join(' + ')} = 1`,
    );
  for (const [host, { has }] of hosts.entries()) {
    for (const at of resources.keys()) {
      const terms = there(host).flatMap((unit) => {
        const take = units[unit]!.takes[at]!;
        return take === 0 ? [] : [`${take} ${x(unit, host)}`];
      });
      if (terms.length === 0) continue;
      rows.push(
        goal === 'hosts'
          ? `${terms.join(' + ')} - ${has[at]} ${y(host)} <= 0`
          : `${terms.join(' + ')} - ${has[at]} t <= 0`,
      );
    }
    for (const unit of there(host)) {
      if (goal === 'hosts') rows.push(`${x(unit, host)} - ${y(host)} <= 0`);
      for (const other of units[unit]!.apart)
        if (other > unit && may(other, host))
          rows.push(
            goal === 'hosts'
              ? `${x(unit, host)} + ${x(other, host)} - ${y(host)} <= 0`
              : `${x(unit, host)} + ${x(other, host)} <= 1`,
          );
    }
    if (alike && goal === 'hosts' && host > 0) rows.push(`${y(host - 1)} - ${y(host)} >= 0`);
  }
  for (const [unit, { near }] of units.entries())
    for (const { unit: other, mostMs } of near)
      for (const host of hostsOf(unit))
        for (const to of hostsOf(other))
          if (other > unit && distanceMs(problem, host, to) > mostMs)
            rows.push(`${x(unit, host)} + ${x(other, to)} <= 1`);
  if (goal === 'hosts') rows.push(`${[...hosts.keys()].map(y).join(' + ')} >= ${fewestHosts(all)}`);
  const binaries = [
    ...[...units.keys()].flatMap((unit) => hostsOf(unit).map((host) => x(unit, host))),
    ...(goal === 'hosts' ? [...hosts.keys()].map(y) : []),
  ];
  return [
    'Minimize',
    ` obj: ${goal === 'hosts' ? [...hosts.keys()].map(y).join(' + ') : 't'}`,
    'Subject To',
    ...rows.map((row, at) => ` c${at}: ${row}`),
    ...(goal === 'share' ? ['Bounds', ' 0 <= t <= 1'] : []),
    'Binary',
    ...binaries.map((name) => ` ${name}`),
    'End',
  ].join('\n');
}

/** @param value of a variable, by its name; undefined: not in the program */
export function solutionOf(all: Units, value: (name: string) => number | undefined): Placement {
  const where = Int32Array.from(all.units, (_, unit) =>
    all.problem.hosts.findIndex((_host, host) => (value(x(unit, host)) ?? 0) > 0.5),
  );
  return placementOf(all, where);
}
