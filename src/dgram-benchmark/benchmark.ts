/** One benchmark as an object: an event emitter that is also thenable, as autocannon's is. */
import { EventEmitter } from 'node:events';
import { setTimeout as sleep } from 'node:timers/promises';
import type { DgramResult } from '../contract/dgram.js';
import { counted } from '../number.js';
import type { Engine, EngineConfig, EngineInterval, EngineOutcome, StartEngine } from './engine.js';
import { startJsEngine } from './js-engine.js';
import { attributeLoss, readKernelView } from './loss.js';
import { startNativeEngine } from './native-engine.js';
import { type DgramInput, type DgramOptions, engineConfig, readOptions } from './options.js';
import { resultOf } from './result.js';

/** Often at first, so that the start is told when it happens. */
const startPollMs = 1;
const pollMs = 20;
const engines: Record<DgramOptions['engine'], StartEngine> = {
  native: startNativeEngine,
  js: startJsEngine,
};

/** The counterpart of autocannon's client object in `response` events. */
export interface DgramClient {
  /** number of the flow: one client socket and one server port */
  flow: number;
}

export interface DgramEvents {
  /** sending begins */
  start: [];
  /** once per sample interval: replies and their bytes in it */
  tick: [{ counter: number; bytes: number; interval: EngineInterval }];
  /** one reply; `responseTime` in milliseconds. Costs a visit per reply: only while somebody listens at the start */
  response: [client: DgramClient, statusCode: 0, resBytes: number, responseTime: number];
  /** datagrams were refused or answered wrongly since the last look */
  reqError: [Error];
  done: [DgramResult];
  error: [Error];
}

/** The instants of one engine's run. */
export interface EngineObserver {
  started?(monotonicNs: number): void;
  /** nothing more is sent; the drain begins */
  sent?(): void;
  interval?(interval: EngineInterval): void;
  look?(engine: Engine): void;
}

/** Runs an engine to its end. */
export async function followEngine(
  start: StartEngine,
  config: EngineConfig,
  observer: EngineObserver,
  onEngine: (engine: Engine) => void = () => {},
): Promise<EngineOutcome> {
  const engine = await start(config);
  onEngine(engine);
  try {
    let seen = 0;
    let phase = 'preparing';
    for (;;) {
      const state = engine.state();
      if (phase === 'preparing' && state.phase !== phase) observer.started?.(state.startedNs);
      if ((phase === 'preparing' || phase === 'sending') && /draining|done/.test(state.phase))
        observer.sent?.();
      phase = state.phase;
      const intervals = engine.intervals(seen);
      seen += intervals.length;
      for (const interval of intervals) observer.interval?.(interval);
      observer.look?.(engine);
      if (phase === 'done') return engine.outcome();
      await sleep(phase === 'preparing' ? startPollMs : pollMs);
    }
  } finally {
    engine.free();
  }
}

export class DgramBenchmark extends EventEmitter<DgramEvents> implements PromiseLike<DgramResult> {
  readonly opts: DgramOptions;
  readonly #result: Promise<DgramResult>;
  #engine: Engine | null = null;
  #stopped = false;

  /** @throws Error in one sentence when the options are wrong */
  constructor(input: DgramInput) {
    super();
    this.opts = readOptions(input);
    // A turn later, so that the caller can attach listeners to everything.
    this.#result = sleep(0).then(() => this.#run());
    this.#result.then(
      (result) => this.emit('done', result),
      // Whoever awaits gets the error there; an emitter without listeners must not throw it a second time.
      (error: Error) => this.listenerCount('error') > 0 && this.emit('error', error),
    );
  }

  /** Sends no more; the drain still follows, and then the result. */
  stop(): void {
    this.#stopped = true;
    this.#engine?.stop();
  }

  // biome-ignore lint/suspicious/noThenProperty: autocannon's instance can be awaited, and so can this one
  then<A = DgramResult, B = never>(
    fulfilled?: ((result: DgramResult) => A | PromiseLike<A>) | null,
    rejected?: ((reason: Error) => B | PromiseLike<B>) | null,
  ): Promise<A | B> {
    return this.#result.then(fulfilled, rejected);
  }

  catch<B = never>(rejected: (reason: Error) => B | PromiseLike<B>): Promise<DgramResult | B> {
    return this.#result.catch(rejected);
  }

  async #run(): Promise<DgramResult> {
    const { warmup } = this.opts;
    const { connections = this.opts.connections, duration = this.opts.duration } = warmup ?? {};
    const warmed =
      warmup && (await this.#measure({ ...this.opts, connections, duration, amount: undefined }, {}));
    const result = await this.#measure(this.opts, this.#observer());
    return warmed ? { ...result, warmup: warmed } : result;
  }

  async #measure(options: DgramOptions, observer: EngineObserver): Promise<DgramResult> {
    const start = new Date();
    const config = await engineConfig(
      options,
      observer.look !== undefined && this.listenerCount('response') > 0,
    );
    const before = await readKernelView(options.port, options.ports);
    const outcome = await followEngine(engines[options.engine], config, observer, (engine) => {
      this.#engine = engine;
      if (this.#stopped) engine.stop();
    });
    const loss = attributeLoss(outcome, before, await readKernelView(options.port, options.ports));
    return resultOf(options, outcome, loss, { start, finish: new Date() });
  }

  #observer(): EngineObserver {
    let wrong = 0;
    return {
      started: () => this.emit('start'),
      interval: (interval) =>
        this.emit('tick', { counter: interval.received, bytes: interval.bytesIn, interval }),
      look: (engine) => {
        const replies = engine.replies();
        for (let at = 0; at < replies.length; at += 2) {
          this.emit('response', { flow: replies[at]! }, 0, this.opts.size, replies[at + 1]! / 1e6);
        }
        const state = engine.state();
        if (state.wrong > wrong && this.listenerCount('reqError') > 0) {
          this.emit(
            'reqError',
            new Error(`${counted(state.wrong - wrong, 'datagram')} refused or answered wrongly`),
          );
        }
        wrong = state.wrong;
      },
    };
  }
}
