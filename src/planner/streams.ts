/**
 * How many streams the next block of a transfer gets: as many as fill what the link is expected to carry. It knows what tcp_info
 * told of the blocks before, and nothing else.
 *
 * a) Where packets are lost, a stream has a pace of its own, whatever the link carries: what it has under way is halved by each loss. A
 *    link is filled by as many streams as it has room for paces.
 * b) Whether it is full shows in the round trip: what does not fit waits in a queue. Over a full link what arrives is what the
 *    link sustains, and that is what is predicted. Over one that is not full it is the streams' own paces, and says nothing of the
 *    link but that it carries more.
 * c) So over a full link the next block has the streams that the prediction asks for, and over one that is not full those that the
 *    most asks for that it carried lately, or twice what arrived.
 * d) A stream too many costs little, one too few its whole pace. A link that turned out to carry more than was expected of it is
 *    given as much more the next time.
 */
import type { Predictor } from './prediction/predictor.js';

/** What was seen of a block in one interval. */
export interface SeenInterval {
  /** streams that sent */
  sockets: number;
  /** bits per second that arrived */
  goodput: number;
  roundTripMs: number;
  leastRoundTripMs: number;
}

export interface Decision {
  streams: number;
  /** bits per second that the link is expected to carry; null: nothing is known yet */
  expected: number | null;
}

/** Of the first block, of whose link nothing is known: rather too many (d). */
const firstStreams = 16;
/** A round trip so many times the shortest one has a queue in it. */
const fullFrom = 1.25;
/** A pace is learnt over a link that is not full, and by connections that are new; beside a queue, and later, it is some half. */
const headroom = 2;
/**
 * Over a link that was not full: how much more is tried. Over a full one a prediction that is further than this from what just
 * arrived, up or down, is the predictor's own unsureness: one that has seen few values may say anything.
 */
const growth = 2;
/** What a block counts for against all before it, in the pace of a stream. */
const weight = 0.5;
/** Blocks that count as lately: for what the link carried, and for by how much more than expected that was. */
const lately = { carried: 30, surprises: 10 };

const mean = (values: readonly number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** The newest numbers, so many at most. */
class Newest {
  private readonly values: number[] = [];

  constructor(private readonly most: number) {}

  add(value: number): void {
    this.values.push(value);
    if (this.values.length > this.most) this.values.shift();
  }

  largest(least: number): number {
    return Math.max(least, ...this.values);
  }
}

export class StreamPlanner {
  private leastMs = Number.POSITIVE_INFINITY;
  /** bits per second of one stream over a link that was not full; null: it always was */
  private pace: number | null = null;
  private readonly carried = new Newest(lately.carried);
  /** over what was expected */
  private readonly surprises = new Newest(lately.surprises);
  /** what the predictor said, until a link that is full shows what it carries */
  private predicted: number | null = null;
  private last: { full: boolean; goodput: number; streams: number } | null = null;

  constructor(
    private readonly predictor: Predictor,
    private readonly most: number,
  ) {}

  next(): Decision {
    if (!this.last) return { streams: Math.min(firstStreams, this.most), expected: null };
    const { full, goodput, streams: before } = this.last;
    if (full) {
      const said = this.predictor.predict() ?? goodput;
      this.predicted = Math.min(growth * goodput, Math.max(goodput / growth, said));
    }
    const expected = full ? this.predicted! : this.carried.largest(growth * goodput);
    const more = full ? this.surprises.largest(1) : 1;
    // Fewer might do for a link that was always full; nobody has seen them.
    const streams = this.pace === null ? before : Math.ceil((headroom * more * expected) / this.pace);
    return { streams: Math.min(this.most, Math.max(1, streams)), expected };
  }

  /** A block is over. One of which nothing was seen changes nothing. */
  observe(block: readonly SeenInterval[]): void {
    const seen = block.filter(({ goodput }) => goodput > 0);
    if (seen.length === 0) return;
    this.leastMs = Math.min(this.leastMs, ...seen.map(({ leastRoundTripMs }) => leastRoundTripMs));
    const isFull = ({ roundTripMs }: SeenInterval) => roundTripMs > fullFrom * this.leastMs;
    for (const one of seen) if (isFull(one)) this.predictor.observe(one.goodput);
    // What it came to in the end: the link may have changed within the block.
    const end = seen.slice(-Math.ceil(seen.length / 2));
    const full = end.filter(isFull).length * 2 > end.length;
    const goodput = mean(end.map((one) => one.goodput));
    const streams = end.at(-1)!.sockets;
    this.last = { full, goodput, streams };
    if (!full) {
      const pace = goodput / streams;
      this.pace = this.pace === null ? pace : this.pace + weight * (pace - this.pace);
      return;
    }
    this.carried.add(goodput);
    if (this.predicted !== null) this.surprises.add(goodput / this.predicted);
    this.predicted = null;
  }
}
