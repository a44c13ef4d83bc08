/**
 * The quick profile's design by simulation: six generations of servers that stand together, two shuffled rounds of
 * windows, those of one server one after the other. The machine has two states a factor of 1.33 apart that last for ten
 * seconds or so, which are fifty windows; programs differ by 1.5 % from start to start, and a window scatters by 3 %, as
 * recorded on a shared virtual machine.
 */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Blocked, blockedRatio } from '../../src/statistics/interval.js';
import { type Random, randomFrom, shuffled } from '../../src/statistics/random.js';

const generations = 6;
const rounds = 2;
const servers = 13;
/** 0 and 1 are two levels of one server */
const levels = [0, 1];
const changesState = 0.02;
const simulations = 400;

function normal(random: Random): number {
  return Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** CPU per request of all servers in each generation; server 0 costs 1, server 1 costs `ratio`. */
function simulated(ratio: number, random: Random): Blocked[][] {
  const found: Blocked[][] = Array.from({ length: servers }, () => []);
  let slow = random() < 0.5;
  for (let block = 0; block < generations; block++) {
    const own = found.map((_, server) => (server === 1 ? ratio : 1) * Math.exp(0.015 * normal(random)));
    const sums = found.map(() => 0);
    for (let round = 0; round < rounds; round++) {
      const order = shuffled([...found.keys()].slice(1), random);
      for (const server of order.flatMap((one) => (one === 1 ? shuffled(levels, random) : [one]))) {
        if (random() < changesState) slow = !slow;
        sums[server]! += own[server]! * (slow ? 1.33 : 1) * Math.exp(0.03 * normal(random));
      }
    }
    for (const [server, sum] of sums.entries()) found[server]!.push({ block, value: sum / rounds });
  }
  return found;
}

test('servers that stand together: intervals cover the truth, equality is found, a difference is not called equal', () => {
  const random = randomFrom('generations');
  let covered = 0;
  let equal = 0;
  let wrong = 0;
  for (let index = 0; index < simulations; index++) {
    const [first, second] = simulated(1, random);
    const { low, high, low90, high90 } = blockedRatio(second!, first!);
    if (low! <= 1 && high! >= 1) covered++;
    if (low90! > 0.9 && high90! < 1.11) equal++;
    const [one, other] = simulated(1.11, random);
    const far = blockedRatio(other!, one!);
    if (far.low90! > 0.9 && far.high90! < 1.11) wrong++;
  }
  // Binomial 95 % of 400: a true 95 % gives at least 370.
  assert.ok(covered >= 370, `${covered} of ${simulations} intervals cover 1`);
  assert.ok(equal >= 0.85 * simulations, `${equal} found equal`);
  assert.ok(wrong <= 0.05 * simulations + 9, `${wrong} called equal at the margin`);
  console.log(`generations: ${covered} of ${simulations} cover, ${equal} equal, ${wrong} wrongly equal`);
});
