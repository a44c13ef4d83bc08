/** Are equal servers told apart, and different ones not? Judged by CPU per request, which is steadier than latency. */

import type { Site } from '../stage/on-stage.js';
import { randomFrom } from '../statistics/random.js';
import { type Check, driveLoad } from './check.js';
import { compare, falseAlarmLimit, falseAlarmShare } from './false-alarms.js';
import { withKnownAnswer } from './known-answer.js';
import { percent, plainRow, type Row } from './row.js';

/** CPU of one request, microseconds, of a fresh server that works `spinRounds` more on each. */
async function cpuPerRequest(site: Site, spinRounds: number): Promise<number> {
  const { truth } = await withKnownAnswer(site, { spinRounds }, (target, stage) =>
    driveLoad(stage, target, { connections: 20, rate: null, durationS: 0.5, warmupS: 0.2 }),
  );
  return truth.cpuUs / truth.requests;
}

/** CPU of one spin round, microseconds: the slope between two amounts of work, each the least of three. */
async function spinRoundUs(site: Site): Promise<number> {
  const [few, many] = [0, 20_000];
  const least = async (rounds: number) =>
    Math.min(
      await cpuPerRequest(site, rounds),
      await cpuPerRequest(site, rounds),
      await cpuPerRequest(site, rounds),
    );
  return ((await least(many)) - (await least(few))) / (many - few);
}

const RELABELLED = 500;

function falseAlarms(a: readonly number[], same: readonly number[]): Row {
  const pairs = a.flatMap((value, index) => [value, same[index]!]);
  const alarms = falseAlarmShare(pairs, RELABELLED, randomFrom('labels'));
  const limit = falseAlarmLimit(a.length, RELABELLED, randomFrom('limit'));
  return plainRow(
    {
      check: `A/A: the same server under two names, ${a.length} trials each, labelled ${RELABELLED} times`,
      truth: 'never different',
      reported: `${percent(alarms)} called different`,
      deviation: percent(alarms),
      limit: `${percent(limit)}, which equal trials reach once in 100`,
    },
    alarms <= limit,
  );
}

/**
 * Found: shown to be slower, by an interval that reaches the truth (half to one and a half of it, as the work of a spin
 * round is measured, too). Off: the whole interval is elsewhere. An interval that holds both the truth and no
 * difference at all is too wide to tell, and more trials are made.
 */
export function slowdownRow(a: readonly number[], b: readonly number[], slowdown: number): Row {
  const { different, shift } = compare(a, b);
  const typical = [...a].sort((x, y) => x - y)[a.length >> 1]!;
  const [low, high] = [shift.low / typical, shift.high / typical];
  const reaches = low <= 1.5 * slowdown && high >= 0.5 * slowdown;
  const found = different && low > 0;
  const row = plainRow(
    {
      check: `a server that costs ${percent(slowdown)} more CPU a request, ${a.length} trials each`,
      truth: `+${percent(slowdown)}, slower`,
      reported: `${found ? 'slower' : 'no difference shown'}, ${percent(shift.estimate / typical)} [${percent(low)}, ${percent(high)}]`,
      deviation: '',
      limit: 'found',
    },
    found && reaches,
  );
  if (found || !reaches) return row;
  const note = `the interval is ${percent(high - low)} wide after ${a.length} trials`;
  return { ...row, outcome: 'not resolved', note };
}

export const comparisons: Check = {
  name: 'comparisons',
  once: true,
  async run({ trials: [least, most], slowdown }, site) {
    const rounds = Math.round((slowdown * (await cpuPerRequest(site, 0))) / (await spinRoundUs(site)));
    const a: number[] = [];
    const b: number[] = [];
    const same: number[] = [];
    const random = randomFrom('selftest');
    for (;;) {
      const work: [number[], number][] = [
        [a, 0],
        [b, rounds],
        [same, 0],
      ];
      for (const [into, spin] of random() < 0.5 ? work : work.reverse())
        into.push(await cpuPerRequest(site, spin));
      if (a.length < least) continue;
      const slower = slowdownRow(a, b, slowdown);
      if (slower.outcome !== 'not resolved' || a.length >= most) return [falseAlarms(a, same), slower];
    }
  },
};
