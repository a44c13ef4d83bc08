/** Is the rate of a server that is the limit its own? Two clients must find what one finds. */
import type { Site } from '../stage/on-stage.js';
import { blockedRatio, type Interval, position } from '../statistics/interval.js';
import { type Check, driveLoads } from './check.js';
import { withKnownAnswer } from './known-answer.js';
import { percent, plainRow, type Row } from './row.js';

const connections = 20;
/** A server of Node with this much more work on each request is far slower than one client. */
const spinRounds = 20_000;
/** Rates that differ by less are those of one server. */
const band = [0.95, 1.05] as const;

/** Requests per second of a fresh server. */
async function rate(site: Site, clients: number, seconds: number): Promise<number> {
  const load = { connections, rate: null, durationS: seconds, warmupS: 0.3 };
  const { measured } = await withKnownAnswer(site, { spinRounds }, (target, stage) =>
    driveLoads(stage, target, load, clients),
  );
  return measured.reduce((sum, { achievedRate }) => sum + achievedRate, 0);
}

/** Trials go on until the 90 % interval is narrower than this: who stops when it decides is wrong more often than said. */
const narrowEnough = 0.05;

/** More from two clients than from one: the one was the limit, and its rate no figure of the server. */
export function twoClientsRow(two: Interval): Row {
  const { estimate, low90, high90, n } = two;
  const row = plainRow(
    {
      check: `a server that is the limit, asked by two clients instead of one, ${n} trials each`,
      truth: 'the same rate',
      reported: `${estimate.toFixed(3)} times [${low90?.toFixed(3)}, ${high90?.toFixed(3)}] (90 %)`,
      deviation: percent(estimate - 1),
      limit: `within ${band.join(' to ')}`,
    },
    position(two, ...band) === 'inside',
  );
  if (position(two, ...band) !== 'unclear') return row;
  return { ...row, outcome: 'not resolved', note: `the interval is too wide after ${n} trials` };
}

export const twoClients: Check = {
  name: 'two-clients',
  once: true,
  async run({ seconds, trials: [least, most] }, site) {
    const one: { block: number; value: number }[] = [];
    const two: typeof one = [];
    for (let block = 0; block < most; block++) {
      const turns = block % 2 === 0 ? [1, 2] : [2, 1];
      for (const clients of turns)
        (clients === 1 ? one : two).push({ block, value: await rate(site, clients, seconds / 4) });
      const { low90, high90 } = blockedRatio(two, one);
      if (block + 1 >= least && high90! - low90! < narrowEnough) break;
    }
    return [twoClientsRow(blockedRatio(two, one))];
  },
};
