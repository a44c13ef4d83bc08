/** Simulated time: what is to happen, by when and in the order of asking for it; the same for the same seed. */
interface Planned {
  at: number;
  order: number;
  act: () => void;
}

const isBefore = (a: Planned, b: Planned): boolean => a.at < b.at || (a.at === b.at && a.order < b.order);

export class Timeline {
  now = 0;
  #order = 0;
  /** a binary heap */
  readonly #planned: Planned[] = [];

  after(delay: number, act: () => void): void {
    const planned = { at: this.now + delay, order: this.#order++, act };
    const heap = this.#planned;
    let hole = heap.push(planned) - 1;
    while (hole > 0) {
      const parent = (hole - 1) >> 1;
      if (!isBefore(planned, heap[parent]!)) break;
      heap[hole] = heap[parent]!;
      hole = parent;
    }
    heap[hole] = planned;
  }

  /** Lets everything happen until `end`, or until `enough` says so. @returns whether it did */
  run(end: number, enough: () => boolean = () => false): boolean {
    while (this.#planned.length > 0 && this.#planned[0]!.at <= end) {
      const next = this.#take();
      this.now = next.at;
      next.act();
      if (enough()) return true;
    }
    this.now = end;
    return false;
  }

  #take(): Planned {
    const heap = this.#planned;
    const first = heap[0]!;
    const last = heap.pop()!;
    if (heap.length === 0) return first;
    let hole = 0;
    for (;;) {
      let child = 2 * hole + 1;
      if (child >= heap.length) break;
      if (child + 1 < heap.length && isBefore(heap[child + 1]!, heap[child]!)) child++;
      if (!isBefore(heap[child]!, last)) break;
      heap[hole] = heap[child]!;
      hole = child;
    }
    heap[hole] = last;
    return first;
  }
}
