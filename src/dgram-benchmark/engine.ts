/** What a datagram engine is: the native one and the JavaScript one behind the same few calls. */
import type { Histogram } from 'hdr-histogram-js';
import type { DgramCounts } from '../contract/dgram.js';

export interface EngineConfig {
  /** numeric address */
  host: string;
  /** first port */
  port: number;
  ports: number;
  portOrder: 'random' | 'round-robin' | 'zipf';
  connections: number;
  workers: number;
  /** closed loop: unanswered datagrams allowed per socket */
  pipelining: number;
  /** datagrams per second over all; 0: closed loop */
  rate: number;
  exponential: boolean;
  seed: number;
  /** datagrams to send; 0: by duration only */
  amount: number;
  durationNs: number;
  /** a reply later than this is late; also how long the drain waits */
  timeoutNs: number;
  intervalNs: number;
  /** bytes of a datagram, header included */
  size: number;
  /** fills what follows the header, repeated */
  body: Uint8Array;
  /** false: no header; datagrams are `body`, and replies must equal `expected` */
  echo: boolean;
  expected: Uint8Array;
  /** SO_RCVBUF and SO_SNDBUF in bytes; 0: the system's default */
  receiveBuffer: number;
  sendBuffer: number;
  /** late replies are counted, but not in the latencies */
  excludeLate: boolean;
  /** stop after so many wrong or refused ones; 0: never */
  bailout: number;
  /** keep every reply for replies() */
  logReplies: boolean;
}

export interface EngineState {
  phase: 'preparing' | 'sending' | 'draining' | 'done';
  /** CLOCK_MONOTONIC of the start; 0 before it */
  startedNs: number;
  sent: number;
  received: number;
  bytesIn: number;
  /** corrupted, truncated, foreign and unreachable */
  wrong: number;
}

export interface EngineInterval {
  sent: number;
  received: number;
  bytesIn: number;
  meanNs: number;
  p50Ns: number;
  p99Ns: number;
  maxNs: number;
}

/** One client socket and one server port. */
export interface EngineFlow {
  port: number;
  sent: number;
  received: number;
  latencySumNs: number;
  latencyMaxNs: number;
  jitterNs: number;
}

export interface EngineOutcome {
  counts: Omit<DgramCounts, 'lost'>;
  /** datagrams that the schedule asked for */
  offered: number;
  bytesOut: number;
  bytesIn: number;
  sendCalls: number;
  receiveCalls: number;
  sendingNs: number;
  totalNs: number;
  cpuNs: number;
  spinNs: number;
  busiestShare: number;
  pacerP50Ns: number;
  pacerP99Ns: number;
  /** replies the kernel dropped at the client's sockets; null: unknown */
  clientDrops: number | null;
  poller: string;
  /** nanoseconds: from the intended send time, from the actual one, and between the two */
  latency: Histogram;
  uncorrected: Histogram;
  sendLag: Histogram;
  series: EngineInterval[];
  flows: EngineFlow[];
}

export interface Engine {
  state(): EngineState;
  /** complete intervals from index `first` on */
  intervals(first: number): EngineInterval[];
  /** (flow, latency in nanoseconds) pairs of the replies since the last call */
  replies(): Float64Array;
  /** no more is sent; the drain still follows */
  stop(): void;
  /** once the phase is `done`. @throws Error when the run failed */
  outcome(): EngineOutcome;
  /** ends at once and frees everything; again is no error */
  free(): void;
}

/** @throws Error in one sentence when it cannot start */
export type StartEngine = (config: EngineConfig) => Promise<Engine>;

export const maxDatagram = 65_507;

export type Identity = 'full' | 'compact' | 'none';
export const headerBytes = { full: 40, compact: 16, none: 0 } as const;

/** The richest form that a datagram of `size` bytes can carry; see native/load/datagram_format.h. */
export function identityOf(size: number, echo: boolean): Identity {
  if (!echo || size < headerBytes.compact) return 'none';
  return size < headerBytes.full ? 'compact' : 'full';
}
