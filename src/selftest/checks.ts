/**
 * The suite measures its own error: each check drives a server whose behaviour is known with the same clients that
 * every measurement uses, and says what is true and what was reported.
 */
import { randomFrom } from '../analysis/random.js';
import type { LoadResult } from '../contract/load.js';
import { loadResult } from '../contract/load.js';
import { Child } from '../hosts/child.js';
import { decodeHistogram } from '../load/histogram.js';
import { clockStepNs } from '../process.js';
import { type LoadSpec, loadCommand } from '../programs/load.js';
import { monotonicNs, prepareStep } from '../ramp/client.js';
import { compare, falseAlarmShare } from './false-alarms.js';
import { withKnownAnswer } from './known-answer.js';
import { andersonDarlingExponential, EXPONENTIAL_LIMIT, gapsOf, unevenShare } from './pacing.js';

export interface Row {
  check: string;
  truth: string;
  reported: string;
  /** how far off, in words or as a share */
  deviation: string;
  limit: string;
  holds: boolean;
}

export interface Effort {
  /** seconds of load in a check */
  seconds: number;
  /** trials on either side of a comparison */
  trials: number;
  /** what a deliberately slower server costs more, as a share of the CPU of a request */
  slowdown: number;
}

export const efforts = {
  quick: { seconds: 2, trials: 6, slowdown: 0.5 },
  full: { seconds: 10, trials: 40, slowdown: 0.02 },
} as const satisfies Record<string, Effort>;

/** Delay, stall and loss have to be reproduced this well. */
const LIMIT = 0.01;
const ANSWER_MS = 20_000;

export interface Check {
  name: string;
  run(effort: Effort): Promise<Row[]>;
}

const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
const ms = (ns: number): string => `${(ns / 1e6).toFixed(3)} ms`;

/** A row whose figure may differ from the truth by a share of it, and by `grain` beside that. */
export function closeRow(check: string, truth: number, reported: number, grain: number, show = ms): Row {
  const off = reported - truth;
  return {
    check,
    truth: show(truth),
    reported: show(reported),
    deviation: truth === 0 ? show(off) : `${off < 0 ? '-' : '+'}${percent(Math.abs(off / truth))}`,
    limit: `${percent(LIMIT)} or ${show(grain)}`,
    holds: Math.abs(off) <= Math.max(LIMIT * truth, grain),
  };
}

async function load(spec: Omit<LoadSpec, 'protocol' | 'target'>, port: number): Promise<LoadResult> {
  const command = loadCommand({ ...spec, protocol: 'http', target: { host: '127.0.0.1', port } });
  const client = new Child('the load client', command);
  try {
    await client.expect('connected', ANSWER_MS);
    client.send('go');
    const longestMs = 1000 * (spec.durationS + spec.warmupS + (spec.timeoutS ?? 5)) + ANSWER_MS;
    return loadResult.parse(await client.expect('result', longestMs));
  } finally {
    await client.end(1000);
  }
}

/** Time on the wire and in two event loops, which the server cannot see. */
const TRANSPORT_NS = 500_000;

const constantDelay: Check = {
  name: 'constant delay',
  async run({ seconds }) {
    const rows: Row[] = [];
    for (const rate of [20, 200, 1000]) {
      const { measured, truth } = await withKnownAnswer({ delayMs: 100 }, (port) =>
        load({ connections: 300, rate, durationS: seconds, warmupS: 0.3 }, port),
      );
      rows.push(
        closeRow(`p50 of a 100 ms delay at ${rate}/s`, truth.delayP50Ns, measured.latency.p50, TRANSPORT_NS),
      );
    }
    return rows;
  },
};

const stall: Check = {
  name: 'stall',
  async run({ seconds }) {
    const rate = 500;
    const { measured, truth } = await withKnownAnswer(
      { stallAfter: Math.round((rate * seconds) / 4), stallMs: 1000 },
      (port) => load({ connections: 50, rate, durationS: seconds + 1, warmupS: 0 }, port),
    );
    // Requests due in the first half of the stall wait for more than half of it.
    const late = truth.stallNs / 2;
    const histogram = decodeHistogram(measured.latency.histogram);
    const share = 1 - shareBelow(histogram, late);
    return [
      closeRow('longest wait in a stall of 1 s', truth.stallNs, measured.latency.max, 1e9 / rate),
      closeRow(
        'requests that waited for half of it',
        (rate * late) / 1e9,
        share * measured.latency.count,
        3,
        (count) => count.toFixed(0),
      ),
    ];
  },
};

/** Share of recorded values up to `value`, by bisection over the percentiles. */
function shareBelow(histogram: ReturnType<typeof decodeHistogram>, value: number): number {
  let low = 0;
  let high = 100;
  for (let step = 0; step < 40; step += 1) {
    const half = (low + high) / 2;
    if (histogram.getValueAtPercentile(half) <= value) low = half;
    else high = half;
  }
  return low / 100;
}

const loss: Check = {
  name: 'loss',
  async run({ seconds }) {
    const { measured, truth } = await withKnownAnswer({ loseEvery: 20 }, (port) =>
      load({ connections: 100, rate: 400, durationS: seconds, warmupS: 0, timeoutS: 1 }, port),
    );
    return [
      closeRow('requests never answered', truth.lost, measured.errors.timeout, 0, (count) =>
        count.toFixed(0),
      ),
      closeRow('requests in all', truth.requests, measured.requests, 0, (count) => count.toFixed(0)),
    ];
  },
};

const slowAccept: Check = {
  name: 'slow accept',
  async run() {
    const { measured, truth } = await withKnownAnswer({ acceptDelayMs: 100 }, async (port) => {
      const step = prepareStep({
        kind: 'session',
        spec: {
          host: '127.0.0.1',
          port,
          uri: '/',
          rate: 50,
          connections: 50,
          calls: 1,
          timeoutMs: 5000,
          sampleMs: 100,
          arrival: 'fixed',
          cpus: [],
        },
      });
      await step.ready;
      step.start(monotonicNs());
      return step.result;
    });
    const { p50 } = measured.detail!.response;
    return [
      closeRow(
        'first reply of a connection left alone for 100 ms',
        truth.acceptDelayP50Ns,
        p50,
        TRANSPORT_NS,
      ),
    ];
  },
};

const pacing: Check = {
  name: 'pacing',
  async run({ seconds }) {
    const rate = 200;
    const arrivals = async (arrival: 'fixed' | 'exponential') => {
      const { truth } = await withKnownAnswer({ recordArrivals: 100_000 }, (port) =>
        load({ connections: 20, rate, durationS: 2 * seconds, warmupS: 0, arrival, seed: 7 }, port),
      );
      return gapsOf(truth.arrivalsNs);
    };
    const uneven = unevenShare(await arrivals('fixed'), 1e9 / rate, 0.2);
    const statistic = andersonDarlingExponential(await arrivals('exponential'));
    return [
      {
        check: `gaps of a fixed ${rate}/s, at the server`,
        truth: 'all equal',
        reported: `${percent(uneven)} off by over 20 %`,
        deviation: percent(uneven),
        limit: percent(0.05),
        holds: uneven <= 0.05,
      },
      {
        check: 'exponential gaps, at the server (Anderson-Darling)',
        truth: 'exponential',
        reported: `A2 = ${statistic.toFixed(2)}`,
        deviation: '',
        limit: `${EXPONENTIAL_LIMIT} (1 % level)`,
        holds: statistic <= EXPONENTIAL_LIMIT,
      },
    ];
  },
};

const resolution: Check = {
  name: 'resolution',
  async run() {
    const stepNs = clockStepNs();
    const { measured } = await withKnownAnswer({}, (port) =>
      load({ connections: 1, rate: 100, durationS: 0.5, warmupS: 0 }, port),
    );
    const pacer = measured.client.pacer!;
    return [
      {
        check: 'smallest step of the clock',
        truth: 'as fine as possible',
        reported: `${stepNs} ns`,
        deviation: '',
        limit: '1000 ns',
        holds: stepNs <= 1000,
      },
      {
        check: 'wake-up of the pacer after a timed sleep',
        truth: 'at once',
        reported: `p50 ${(pacer.p50 / 1000).toFixed(0)} us, p99 ${(pacer.p99 / 1000).toFixed(0)} us late`,
        deviation: '',
        // The pacer sleeps to this long before the due time, then spins: beyond 1 ms it would have to spin always.
        limit: 'p50 1 ms',
        holds: pacer.p50 <= 1e6,
      },
    ];
  },
};

/** CPU of one request, microseconds, of a fresh server that works `spinRounds` more on each. */
async function cpuPerRequest(spinRounds: number): Promise<number> {
  const { truth } = await withKnownAnswer({ spinRounds }, (port) =>
    load({ connections: 20, rate: null, durationS: 0.5, warmupS: 0.2 }, port),
  );
  return truth.cpuUs / truth.requests;
}

/** CPU of one spin round, microseconds: the slope between two amounts of work, each the least of three. */
async function spinRoundUs(): Promise<number> {
  const [few, many] = [0, 20_000];
  const least = async (rounds: number) =>
    Math.min(await cpuPerRequest(rounds), await cpuPerRequest(rounds), await cpuPerRequest(rounds));
  return ((await least(many)) - (await least(few))) / (many - few);
}

const comparisons: Check = {
  name: 'comparisons',
  async run({ trials, slowdown }) {
    const base = await cpuPerRequest(0);
    const rounds = Math.round((slowdown * base) / (await spinRoundUs()));
    const a: number[] = [];
    const b: number[] = [];
    const same: number[] = [];
    const random = randomFrom('selftest');
    for (let block = 0; block < trials; block += 1) {
      const work: [number[], number][] = [
        [a, 0],
        [b, rounds],
        [same, 0],
      ];
      for (const [into, spin] of random() < 0.5 ? work : work.reverse()) into.push(await cpuPerRequest(spin));
    }
    const pairs = a.flatMap((value, index) => [value, same[index]!]);
    const alarms = falseAlarmShare(pairs, 500, random);
    const { different, shift } = compare(a, b);
    const typical = [...a].sort((x, y) => x - y)[a.length >> 1]!;
    return [
      {
        check: `A/A: the same server under two names, ${trials} trials each, labelled 500 times`,
        truth: 'never different',
        reported: `${percent(alarms)} called different`,
        deviation: percent(alarms),
        limit: percent(0.05),
        holds: alarms <= 0.05,
      },
      {
        check: `a server that costs ${percent(slowdown)} more CPU a request, ${trials} trials each`,
        truth: `+${percent(slowdown)}, slower`,
        reported: `${different && shift.estimate > 0 ? 'slower' : 'no difference shown'}, +${percent(shift.estimate / typical)} [${percent(shift.low / typical)}, ${percent(shift.high / typical)}]`,
        deviation: '',
        limit: 'found',
        holds: different && shift.estimate > 0,
      },
    ];
  },
};

export const checks: readonly Check[] = [
  resolution,
  constantDelay,
  stall,
  loss,
  slowAccept,
  pacing,
  comparisons,
];
