/** Known HTTP servers: delay, stall, loss, slow accept, and what the client's schedule and clock are worth. */
import type { SessionSpec } from '../contract/ramp.js';
import { decodeHistogram } from '../load/histogram.js';
import { prepareSession } from '../ramp/client.js';
import { type Check, driveLoad, TRANSPORT_NS } from './check.js';
import { withKnownAnswer } from './known-answer.js';
import { andersonDarlingExponential, EXPONENTIAL_LIMIT, gapsOf, unevenShare } from './pacing.js';
import { closeRow, exactRow, percent, plainRow, type Row, whole } from './row.js';

export const constantDelay: Check = {
  name: 'constant delay',
  async run({ seconds }, site) {
    const rows: Row[] = [];
    for (const rate of [20, 200, 1000]) {
      const { measured, truth } = await withKnownAnswer(site, { delayMs: 100 }, (target, stage) =>
        driveLoad(stage, target, { connections: 300, rate, durationS: seconds, warmupS: 0.3 }),
      );
      rows.push(
        closeRow(`p50 of a 100 ms delay at ${rate}/s`, truth.delayP50Ns, measured.latency.p50, TRANSPORT_NS),
      );
    }
    return rows;
  },
};

export const stall: Check = {
  name: 'stall',
  async run({ seconds }, site) {
    // Few requests pile up: the time to work them off is not known, and adds to every wait.
    const rate = 200;
    const { measured, truth } = await withKnownAnswer(
      site,
      { stallAfter: Math.round((rate * seconds) / 4), stallMs: 2000 },
      (target, stage) =>
        driveLoad(stage, target, { connections: 50, rate, durationS: seconds + 2, warmupS: 0 }),
    );
    // Requests due in the first half of the stall wait for more than half of it.
    const late = truth.stallNs / 2;
    const histogram = decodeHistogram(measured.latency.histogram);
    const share = 1 - shareBelow(histogram, late);
    return [
      closeRow('longest wait in a stall of 2 s', truth.stallNs, measured.latency.max, 1e9 / rate),
      closeRow(
        'requests that waited for half of it',
        (rate * late) / 1e9,
        share * measured.latency.count,
        2,
        whole,
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

export const loss: Check = {
  name: 'loss',
  async run({ seconds }, site) {
    const { measured, truth } = await withKnownAnswer(site, { loseEvery: 20 }, (target, stage) =>
      driveLoad(stage, target, { connections: 100, rate: 400, durationS: seconds, warmupS: 0, timeoutS: 1 }),
    );
    return [
      exactRow('requests never answered', truth.lost, measured.errors.timeout),
      exactRow('requests in all', truth.requests, measured.requests),
    ];
  },
};

export const slowAccept: Check = {
  name: 'slow accept',
  async run(_, site) {
    const { measured, truth } = await withKnownAnswer(
      site,
      { acceptDelayMs: 100 },
      async ({ host, port }, stage) => {
        const spec: SessionSpec = {
          host,
          port,
          uri: '/',
          rate: 50,
          connections: 50,
          calls: 1,
          timeoutMs: 5000,
          sampleMs: 100,
          arrival: 'fixed',
          cpus: [],
        };
        const step = prepareSession(spec, (name, program) => stage.client(name, program));
        await step.ready;
        step.start(await stage.clientNow());
        return step.result;
      },
    );
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

export const pacing: Check = {
  name: 'pacing',
  async run({ seconds }, site) {
    const rate = 200;
    // Exponential gaps are mostly short: at a lower rate the server, which takes them one by one, blurs fewer of them.
    const slow = 50;
    const arrivals = async (arrival: 'fixed' | 'exponential', rate: number, durationS: number) => {
      const { truth } = await withKnownAnswer(site, { recordArrivals: 100_000 }, (target, stage) =>
        driveLoad(stage, target, { connections: 20, rate, durationS, warmupS: 0, arrival, seed: 7 }),
      );
      return gapsOf(truth.arrivalsNs);
    };
    const uneven = unevenShare(await arrivals('fixed', rate, 2 * seconds), 1e9 / rate, 0.2);
    const statistic = andersonDarlingExponential(await arrivals('exponential', slow, 4 + 2 * seconds));
    return [
      plainRow(
        {
          check: `gaps of a fixed ${rate}/s, at the server`,
          truth: 'all equal',
          reported: `${percent(uneven)} off by over 20 %`,
          deviation: percent(uneven),
          limit: percent(0.05),
        },
        uneven <= 0.05,
      ),
      plainRow(
        {
          check: `exponential gaps at ${slow}/s, at the server (Anderson-Darling)`,
          truth: 'exponential',
          reported: `A2 = ${statistic.toFixed(2)}`,
          deviation: '',
          limit: `${EXPONENTIAL_LIMIT} (1 % level)`,
        },
        statistic <= EXPONENTIAL_LIMIT,
      ),
    ];
  },
};

export const resolution: Check = {
  name: 'resolution',
  async run(_, site) {
    const stepNs = site.roles.client.look.facts.clockStepNs;
    const { measured } = await withKnownAnswer(site, {}, (target, stage) =>
      driveLoad(stage, target, { connections: 1, rate: 100, durationS: 0.5, warmupS: 0 }),
    );
    const pacer = measured.client.pacer!;
    return [
      plainRow(
        {
          check: 'smallest step of the clock',
          truth: 'as fine as possible',
          reported: `${stepNs} ns`,
          deviation: '',
          limit: '1000 ns',
        },
        stepNs <= 1000,
      ),
      plainRow(
        {
          check: 'wake-up of the pacer after a timed sleep',
          truth: 'at once',
          reported: `p50 ${(pacer.p50 / 1000).toFixed(0)} us, p99 ${(pacer.p99 / 1000).toFixed(0)} us late`,
          deviation: '',
          // The pacer sleeps to this long before the due time, then spins: beyond 1 ms it would have to spin always.
          limit: 'p50 1 ms',
        },
        pacer.p50 <= 1e6,
      ),
    ];
  },
};
