/**
 * The engine over node:dgram, for places where no addon can be built. Same configuration, same outcome; what it cannot
 * hold (a pace finer than its event loop) shows as send lag.
 * All its times are nanoseconds since its start.
 */
import { performance } from 'node:perf_hooks';
import { randomFrom } from '../statistics/random.js';
import type { Engine, EngineConfig, EngineInterval, EngineOutcome, EngineState } from './engine.js';
import { identityOf } from './engine.js';
import { DatagramFormat } from './js-format.js';
import { type Flow, JsLanes, type Lane, type Letter } from './js-lanes.js';
import { flowOrder } from './js-order.js';
import { JsRecorder } from './js-recorder.js';
import { ownSocketDrops } from './loss.js';

/** All answered and nothing more for so long: no late copies. */
const quietNs = 50e6;
/** Datagrams sent before replies are looked at again. */
const takeMost = 64;
/** A timer may wake so much late: the rest of a wait is looked through. */
const timerMs = 2;
/** Open loop: times are kept for so many timeouts, so that late replies have a latency. */
const latePatience = 4;
const checkMs = 5;

/** @throws Error in one sentence when the sockets cannot be had */
export async function startJsEngine(config: EngineConfig): Promise<Engine> {
  if (config.workers > 1)
    throw new Error('the js engine has one worker: run several processes and aggregate their results');
  const engine = new JsEngine(config);
  await engine.open();
  return engine;
}

class JsEngine implements Engine {
  readonly #config: EngineConfig;
  readonly #format: DatagramFormat;
  readonly #lanes: JsLanes;
  readonly #recorder: JsRecorder;
  #phase: EngineState['phase'] = 'preparing';
  #origin = 0;
  #startedNs = 0;
  #cpu = process.cpuUsage();
  #offered = 0;
  #lastArrival = 0;
  #sendingNs = 0;
  #totalNs = 0;
  #cpuNs = 0;
  #drops: number | null = null;
  #stopping = false;
  #freed = false;
  #cancel = () => {};
  /** lanes of a closed loop that may send more */
  readonly #unfilled: Lane[] = [];
  #expireAt = 0;

  constructor(config: EngineConfig) {
    const { size, echo, body, seed, expected } = config;
    this.#config = config;
    this.#format = new DatagramFormat(identityOf(size, echo), size, body, seed >>> 0, echo ? null : expected);
    this.#lanes = new JsLanes(config, this.#format);
    this.#recorder = new JsRecorder(
      config,
      this.#lanes.flows.map((flow) => flow.figures),
    );
  }

  async open(): Promise<void> {
    await this.#lanes.open(this.#config);
    this.#lanes.onError = (letter, error) => this.#failed(letter, error);
    for (const lane of this.#lanes.lanes) {
      lane.socket.on('message', (reply, from) => this.#receive(lane, reply, from.port));
      lane.socket.on('error', () => this.#refused(lane));
    }
    this.#origin = performance.now();
    this.#startedNs = Number(process.hrtime.bigint());
    this.#cpu = process.cpuUsage();
    this.#phase = 'sending';
    if (this.#config.rate > 0) this.#runOpen();
    else this.#runClosed();
  }

  #now(): number {
    return (performance.now() - this.#origin) * 1e6;
  }

  #later(ms: number, turn: () => void): void {
    if (this.#freed) return;
    if (ms > timerMs) {
      const timer = setTimeout(turn, ms - timerMs);
      this.#cancel = () => clearTimeout(timer);
    } else {
      const immediate = setImmediate(turn);
      this.#cancel = () => clearImmediate(immediate);
    }
  }

  #halted(): boolean {
    const { bailout } = this.#config;
    return this.#stopping || this.#freed || (bailout > 0 && this.#recorder.wrong() >= bailout);
  }

  #send(flow: Flow, intended: number, at: number): void {
    const letter = this.#lanes.take(this.#format, flow);
    letter.sequence = flow.ledger.send(intended, at);
    letter.at = at;
    this.#format.write(letter.datagram, flow.id, letter.sequence, intended, at);
    flow.lane.outstanding++;
    this.#recorder.sent(at, this.#config.rate > 0 ? at - intended : null);
    this.#lanes.send(letter);
  }

  #failed(letter: Letter, { code }: NodeJS.ErrnoException): void {
    if (this.#freed) return;
    const { ledger, lane } = letter.flow;
    if (code === 'ECONNREFUSED') {
      // The error belongs to a datagram sent before: this one has not been tried yet.
      this.#refused(lane);
      setImmediate(() => this.#freed || this.#lanes.send(letter));
      return;
    }
    this.#recorder.unsent(letter.at);
    if (ledger.unsend(letter.sequence)) this.#settled(lane);
  }

  #receive(lane: Lane, reply: Buffer, port: number): void {
    const at = this.#now();
    const { counts } = this.#recorder;
    this.#lastArrival = at;
    this.#recorder.arrived(at, reply.length);
    const flow = this.#lanes.flowAt(lane, port);
    const reading = this.#format.read(reply);
    if (!flow || (reading.identified && reading.flow !== flow.id)) {
      counts.foreign++;
      return;
    }
    const receipt = flow.ledger.receive(reading, at, this.#config.timeoutNs, counts);
    if (receipt.answered) this.#recorder.answered(flow.id, receipt, at);
    if (receipt.settled) this.#settled(lane);
  }

  /** Which datagram was refused, node:dgram does not tell. */
  #refused(lane: Lane): void {
    this.#recorder.counts.unreachable++;
    if (lane.flows[0]!.ledger.settle(-1)) this.#settled(lane);
  }

  /**
   * Replies that came together are all taken before their places are filled: a server that is woken for every single
   * datagram costs the sender more than the datagram itself.
   */
  #settled(lane: Lane): void {
    const wasFull = lane.outstanding-- === this.#config.pipelining;
    if (this.#config.rate > 0 || this.#phase !== 'sending' || !wasFull) return;
    if (this.#unfilled.push(lane) === 1) setImmediate(this.#refillAll);
  }

  readonly #refillAll = () => {
    for (const lane of this.#unfilled.splice(0)) this.#refill(lane);
  };

  #refill(lane: Lane): void {
    const { pipelining, durationNs } = this.#config;
    const most = this.#config.amount || Number.POSITIVE_INFINITY;
    while (lane.outstanding < pipelining && this.#offered < most && !this.#halted()) {
      const at = this.#now();
      if (at >= durationNs) return;
      this.#offered++;
      this.#send(lane.flows[lane.next()]!, at, at);
    }
  }

  /** @param patience nanoseconds that a datagram is waited for */
  #expire(now: number, patience: number): void {
    if (now < this.#expireAt) return;
    this.#expireAt = now + checkMs * 1e6;
    for (const { ledger, lane } of this.#lanes.flows) {
      for (let left = ledger.expire(now - patience); left > 0; left--) this.#settled(lane);
    }
  }

  #runClosed(): void {
    const { amount, timeoutNs, durationNs } = this.#config;
    for (const lane of this.#lanes.lanes) this.#refill(lane);
    const look = () => {
      const now = this.#now();
      if (this.#halted() || now >= durationNs || (amount > 0 && this.#offered >= amount))
        return this.#drain();
      this.#expire(now, timeoutNs);
      this.#later(Math.min(checkMs, (durationNs - now) / 1e6) + timerMs, look);
    };
    look();
  }

  /** Intended times, one after the other, and null when there are no more. */
  *#schedule(): Generator<number, null> {
    const { rate, durationNs, amount, exponential, seed } = this.#config;
    const gap = 1e9 / rate;
    const most = amount || Number.POSITIVE_INFINITY;
    if (!exponential) {
      const total = Math.min(most, Math.ceil((rate * durationNs) / 1e9 - 1e-6));
      for (let tick = 0; tick < total; tick++) yield tick * gap;
      return null;
    }
    const random = randomFrom(seed);
    let due = 0;
    for (let tick = 0; tick < most; tick++) {
      due -= Math.log(1 - random()) * gap;
      if (due >= durationNs) return null;
      yield due;
    }
    return null;
  }

  #runOpen(): void {
    const { durationNs, amount, timeoutNs, portOrder, seed } = this.#config;
    const schedule = this.#schedule();
    const order = flowOrder(portOrder, this.#lanes.flows.length, seed);
    // What fell due in time may still go out a little after the end.
    const grace = durationNs + Math.max(10e6, durationNs / 100);
    let due = schedule.next().value;
    const turn = () => {
      let now = this.#now();
      for (let taken = 0; taken < takeMost && due !== null && due <= now && !this.#halted(); taken++) {
        this.#offered++;
        this.#send(this.#lanes.flows[order()]!, due, now);
        due = schedule.next().value;
        now = this.#now();
      }
      this.#expire(now, latePatience * timeoutNs);
      const over = due === null ? amount > 0 || now >= durationNs : now >= grace;
      if (this.#halted() || over) {
        // The rest was asked for and not sent in time.
        for (; due !== null && !this.#halted(); due = schedule.next().value) this.#offered++;
        return this.#drain();
      }
      this.#later(((due ?? durationNs) - now) / 1e6, turn);
    };
    turn();
  }

  #drain(): void {
    const { user, system } = process.cpuUsage(this.#cpu);
    this.#cpuNs = (user + system) * 1000;
    this.#sendingNs = this.#now();
    this.#lastArrival = this.#sendingNs;
    this.#phase = 'draining';
    const { counts } = this.#recorder;
    const look = () => {
      const now = this.#now();
      const waiting = counts.received < counts.sent || now - this.#lastArrival < quietNs;
      if (waiting && now - this.#sendingNs < this.#config.timeoutNs)
        return this.#later(checkMs + timerMs, look);
      this.#drops = ownSocketDrops(this.#lanes.ports());
      this.#recorder.finish();
      this.#totalNs = now;
      this.#phase = 'done';
    };
    look();
  }

  state(): EngineState {
    const { counts, bytesIn } = this.#recorder;
    const { sent, received } = counts;
    return {
      phase: this.#phase,
      startedNs: this.#startedNs,
      sent,
      received,
      bytesIn,
      wrong: this.#recorder.wrong(),
    };
  }

  intervals(first: number): EngineInterval[] {
    return this.#recorder.intervals.slice(first);
  }

  replies(): Float64Array {
    return this.#recorder.replies();
  }

  stop(): void {
    this.#stopping = true;
  }

  outcome(): EngineOutcome {
    const { counts, bytesIn, latency, uncorrected, sendLag, intervals } = this.#recorder;
    return {
      counts,
      offered: this.#offered,
      bytesOut: counts.sent * this.#config.size,
      bytesIn,
      sendCalls: counts.sent,
      receiveCalls: counts.received,
      sendingNs: this.#sendingNs,
      totalNs: this.#totalNs,
      cpuNs: this.#cpuNs,
      // Looking and working are one event loop: neither is told apart, and a spinning loop is no saturated one.
      spinNs: 0,
      busiestShare: this.#config.rate > 0 ? 0 : this.#cpuNs / this.#sendingNs,
      pacerP50Ns: timerMs * 1e6,
      pacerP99Ns: timerMs * 1e6,
      clientDrops: this.#drops,
      poller: 'libuv',
      latency,
      uncorrected,
      sendLag,
      series: intervals,
      flows: this.#lanes.flows.map(({ figures, ledger: { sent, received } }) => ({
        ...figures,
        sent,
        received,
      })),
    };
  }

  free(): void {
    this.#freed = true;
    this.#cancel();
    this.#lanes.close();
  }
}
