/** Hosts as they are filled: what is where, what is left, and whether one more fits. Everything that searches moves units here. */
import { distanceMs, roundingShare } from './problem.js';
import type { Units } from './units.js';

export const nowhere = -1;

export class Filling {
  /** by unit */
  readonly where: Int32Array;
  /** by host */
  readonly members: number[][];
  /** by host and resource */
  readonly taken: Float64Array;
  /** by host and resource, with what rounding may add */
  readonly room: Float64Array;
  readonly hosts: number;
  readonly resources: number;
  /** by host and unit: how many units there may not be beside it */
  private readonly enemies: Int16Array;
  private readonly distance: Float64Array | null;

  constructor(readonly of: Units) {
    const { problem, units } = of;
    this.hosts = problem.hosts.length;
    this.resources = problem.resources.length;
    this.where = new Int32Array(units.length).fill(nowhere);
    this.members = problem.hosts.map(() => []);
    this.taken = new Float64Array(this.hosts * this.resources);
    this.room = Float64Array.from(
      problem.hosts.flatMap(({ has }) => has.map((one) => one * (1 + roundingShare))),
    );
    this.enemies = new Int16Array(this.hosts * units.length);
    this.distance =
      problem.near.length === 0
        ? null
        : Float64Array.from({ length: this.hosts ** 2 }, (_, at) =>
            distanceMs(problem, Math.floor(at / this.hosts), at % this.hosts),
          );
  }

  add(unit: number, host: number): void {
    this.where[unit] = host;
    this.members[host]!.push(unit);
    this.count(unit, host, 1);
  }

  remove(unit: number): void {
    const host = this.where[unit]!;
    const there = this.members[host]!;
    there[there.indexOf(unit)] = there[there.length - 1]!;
    there.pop();
    this.where[unit] = nowhere;
    this.count(unit, host, -1);
    // An empty host has everything again, to the last bit.
    if (there.length === 0) this.taken.fill(0, host * this.resources, (host + 1) * this.resources);
  }

  private count(unit: number, host: number, sign: 1 | -1): void {
    const { takes, apart } = this.of.units[unit]!;
    for (let at = 0; at < this.resources; at++) this.taken[host * this.resources + at]! += sign * takes[at]!;
    const row = host * this.of.units.length;
    for (const other of apart) this.enemies[row + other]! += sign;
  }

  /** Everybody as he was. */
  restore(where: Int32Array): void {
    for (const [unit, host] of this.where.entries())
      if (host !== nowhere && host !== where[unit]) this.remove(unit);
    for (const [unit, host] of where.entries())
      if (host !== nowhere && this.where[unit] === nowhere) this.add(unit, host);
  }

  used(): number {
    return this.members.filter((there) => there.length > 0).length;
  }

  /**
   * What the host lacks of each resource for the unit to have room: below 0 where it has enough.
   * @param into by resource
   */
  lack(unit: number, host: number, into: Float64Array): void {
    const { takes } = this.of.units[unit]!;
    for (let at = 0; at < this.resources; at++) {
      const index = host * this.resources + at;
      into[at] = this.taken[index]! + takes[at]! - this.room[index]!;
    }
  }

  /** Whether it may be there when `without` are not: by room, neighbours and distances. */
  fits(unit: number, host: number, without: readonly number[] = []): boolean {
    const { units } = this.of;
    const { takes, allowed } = units[unit]!;
    if (allowed[host] === 0) return false;
    let enemies = this.enemies[host * units.length + unit]!;
    for (const one of without) if (enemies > 0 && units[unit]!.apart.includes(one)) enemies--;
    if (enemies > 0) return false;
    for (let at = 0; at < this.resources; at++) {
      let taken = this.taken[host * this.resources + at]! + takes[at]!;
      for (const one of without) taken -= units[one]!.takes[at]!;
      if (taken > this.room[host * this.resources + at]!) return false;
    }
    return this.distance === null || this.isNear(unit, host, without);
  }

  private isNear(unit: number, host: number, without: readonly number[]): boolean {
    return this.of.units[unit]!.near.every(({ unit: other, mostMs }) => {
      const there = this.where[other]!;
      return (
        there === nowhere || without.includes(other) || this.distance![host * this.hosts + there]! <= mostMs
      );
    });
  }

  /** The largest share that is taken of a resource of the host, with this much more of each. */
  share(host: number, more?: Float64Array, less?: Float64Array): number {
    let most = 0;
    for (let at = 0; at < this.resources; at++) {
      const index = host * this.resources + at;
      const taken = this.taken[index]! + (more?.[at] ?? 0) - (less?.[at] ?? 0);
      if (taken > 0) most = Math.max(most, taken / this.room[index]!);
    }
    return most;
  }
}
