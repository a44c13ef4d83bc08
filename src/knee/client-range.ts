/** The rates that the client itself can offer: where it gave out, nothing is learnt of the server, and the search stays below. */

/** The lowest rate at which the client gave out is tried twice, as it may have been disturbed the first time. */
const TRIES = 2;

export class ClientRange {
  /** highest rate at which the objective held */
  held: number | null = null;
  /** lowest rate above that at which the client gave out */
  limited = Number.POSITIVE_INFINITY;
  readonly #refusals = new Map<number, number>();

  gaveOut(rate: number): void {
    this.#refusals.set(rate, (this.#refusals.get(rate) ?? 0) + 1);
    if (rate > (this.held ?? 0)) this.limited = Math.min(this.limited, rate);
  }

  answered(rate: number, held: boolean): void {
    if (rate >= this.limited) this.limited = Number.POSITIVE_INFINITY;
    if (held) this.held = Math.max(this.held ?? 0, rate);
  }

  /**
   * Where to probe when the search wants to know of `wanted`: there, or as near as the client may follow, until that is
   * known to a factor of 1 + `tolerance`. @returns null when the client cannot follow
   */
  towards(wanted: number, tolerance: number): number | null {
    const sure = this.held ?? this.limited;
    const between = Math.sqrt(sure * this.limited);
    const next = wanted < between ? wanted : this.limited > sure * (1 + tolerance) ? between : this.limited;
    return (this.#refusals.get(next) ?? 0) < TRIES ? next : null;
  }
}
