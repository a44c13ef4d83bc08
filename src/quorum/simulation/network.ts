/** A network that loses, delays, reorders and repeats what it is given, and that may be cut. */
import type { Random } from '../../statistics/random.js';
import type { Timeline } from './timeline.js';

export interface Weather {
  /** chances, 0 to 1 */
  loss: number;
  repeated: number;
  /** of being `lateness` times as late as others: what overtakes it */
  late: number;
  lateness: number;
  /** units of time; each way takes from half of it to one and a half times as much */
  delay: number;
}

export const fairWeather = (delay: number): Weather => ({
  loss: 0,
  repeated: 0,
  late: 0,
  lateness: 1,
  delay,
});

export class Network {
  weather: Weather;
  readonly #timeline: Timeline;
  readonly #random: Random;
  /** ways that are cut, `from` and `to` in one number */
  readonly #cut = new Set<number>();

  constructor(timeline: Timeline, random: Random, weather: Weather) {
    this.#timeline = timeline;
    this.#random = random;
    this.weather = weather;
  }

  send(from: number, to: number, deliver: () => void): void {
    const { loss, repeated, late, lateness, delay } = this.weather;
    const random = this.#random;
    if (random() < loss) return;
    const copies = random() < repeated ? 2 : 1;
    for (let copy = 0; copy < copies; copy++) {
      const takes = delay * (0.5 + random()) * (random() < late ? 1 + random() * lateness : 1);
      this.#timeline.after(takes, () => {
        if (!this.#cut.has(way(from, to))) deliver();
      });
    }
  }

  /** Cuts a random part of `members` off from the others, both ways or one. */
  cut(members: number): void {
    const random = this.#random;
    const side = Array.from({ length: members }, () => random() < 0.5);
    const oneWay = random() < 0.3;
    for (let from = 0; from < members; from++)
      for (let to = 0; to < members; to++)
        if (side[from] !== side[to] && !(oneWay && side[from])) this.#cut.add(way(from, to));
  }

  /** Cuts one of `members` off from the others. */
  isolate(member: number, members: number): void {
    for (let other = 0; other < members; other++) {
      if (other === member) continue;
      this.#cut.add(way(member, other));
      this.#cut.add(way(other, member));
    }
  }

  heal(): void {
    this.#cut.clear();
  }
}

const way = (from: number, to: number): number => from * 1024 + to;
