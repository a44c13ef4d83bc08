/** What a client believes of what replicas reply (§2.3.2, §5.1.2). */
export interface Heard {
  /** in which it was carried out */
  view: number;
  /** it may yet be taken back */
  tentative: boolean;
  reply: string;
}

/**
 * The replies to one request. One of f + 1 for whom it has committed is correct. Of a quorum for whom it has at least prepared in one
 * view, so many are correct that any quorum that begins a later view has one of them, and the request keeps its place. Of two
 * views that would not be so: what was taken back in between counts in neither.
 */
export class Replies {
  readonly #f: number;
  readonly #quorum: number;
  /** by replica, the newest */
  readonly #heard = new Map<number, Heard>();

  constructor(replicas: number, f: number) {
    this.#f = f;
    this.#quorum = quorumOf(replicas, f);
  }

  /** @returns what enough of them say; null: not yet */
  take(replica: number, heard: Heard): string | null {
    this.#heard.set(replica, heard);
    const same = [...this.#heard.values()].filter(({ reply }) => reply === heard.reply);
    const counts = (view: number) =>
      same.filter((one) => !one.tentative || one.view === view).length >= this.#quorum;
    const settled = same.filter(({ tentative }) => !tentative).length;
    return settled > this.#f || same.some(({ view }) => counts(view)) ? heard.reply : null;
  }
}

/** Two quorums share a correct replica (§2.3). */
export const quorumOf = (replicas: number, f: number): number => Math.ceil((replicas + f + 1) / 2);
