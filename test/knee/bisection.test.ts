import assert from 'node:assert/strict';
import { test } from 'node:test';
import { randomFrom } from '../../src/analysis/random.js';
import { Bisection } from '../../src/knee/bisection.js';
import { broken, type Measurement, parseObjective } from '../../src/knee/objective.js';
import { findKnee, type KneeOptions } from '../../src/knee/search.js';

const calm: Measurement = {
  mean: 1e6,
  p50: 1e6,
  p90: 1e6,
  p95: 1e6,
  p99: 1e6,
  p999: 1e6,
  p9999: 1e6,
  max: 1e6,
  loss: 0,
  errors: 0,
  achieved: 1,
};
const objective = parseObjective('p99<5ms,loss=0,achieved>=0.99');

/** A server whose objective holds with a chance that falls around `knee` with the given width; `lapse` answers lie. */
function simulated(knee: number, width: number, lapse: number, seed: string) {
  const random = randomFrom(seed);
  return (rate: number): boolean => {
    const chance = lapse + (1 - 2 * lapse) / (1 + Math.exp(Math.log(rate / knee) / width));
    return random() < chance;
  };
}

const search = (server: (rate: number) => boolean, more: Partial<KneeOptions> = {}) =>
  findKnee({
    objective,
    low: 100,
    high: 100_000,
    repetitions: 3,
    tolerance: 0.05,
    maxProbes: 40,
    confidence: 0.95,
    measure: async (rate) => ({
      measured: server(rate) ? calm : { ...calm, p99: 9e6, achieved: 0.9 },
      saturation: [],
    }),
    ...more,
  });

test('the objective is read term by term', () => {
  assert.deepEqual(
    objective.map(({ text }) => text),
    ['p99<5ms', 'loss=0', 'achieved>=0.99'],
  );
  assert.deepEqual(broken(objective, calm), []);
  assert.deepEqual(
    broken(objective, { ...calm, p99: 5e6, loss: 1e-6 }).map(({ field }) => field),
    ['p99', 'loss'],
  );
  assert.equal(parseObjective('loss<=1%')[0]!.holds(0.01), true);
});

for (const [text, message] of [
  ['p99<5', /needs a unit/],
  ['p98<5ms', /'p98' is not measured/],
  ['loss<5ms', /needs a share/],
  ['fast', /not a term/],
  ['', /not a term/],
] as const)
  test(`refuses the objective '${text}'`, () => assert.throws(() => parseObjective(text), message));

// One lapse in ten ends plain bisection in a wrong half nearly always; 100 searches bound the miss rate from above.
for (const [name, width, lapse] of [
  ['a sharp knee', 0.003, 0.005],
  ['a soft knee', 0.05, 0.01],
  ['one answer in ten wrong', 0.02, 0.1],
] as const)
  test(`the 95 % interval covers the truth at its confidence: ${name}`, async () => {
    const random = randomFrom(name);
    const searches = 100;
    let covered = 0;
    for (let run = 0; run < searches; run += 1) {
      const knee = 200 * 300 ** random();
      const { interval } = await search(simulated(knee, width, lapse, `${name} ${run}`), { maxProbes: 30 });
      if (interval && interval.low <= knee && knee <= interval.high) covered += 1;
    }
    // 95 of 100 are expected; 4 standard deviations (2.2) below that.
    assert.ok(covered >= 86, `${covered} of ${searches} intervals covered the truth`);
  });

test('a sharp knee is found, confirmed on both sides, and the limiting terms are named', async () => {
  const knee = await search(simulated(4321, 0.002, 0, 'sharp'));
  assert.equal(knee.verdict, 'found');
  assert.ok(knee.interval!.high / knee.interval!.low <= 1.05);
  assert.equal(knee.confirmation!.confirmed, true);
  assert.deepEqual(
    knee.limiting.map(({ term }) => term),
    ['p99<5ms', 'achieved>=0.99'],
  );
});

test('no knee within reach is said, not guessed', async () => {
  assert.equal((await search(() => true)).verdict, 'above');
  assert.equal((await search(() => false)).verdict, 'below');
});

test('a saturated client ends the search without blaming the server', async () => {
  const knee = await search(() => true, {
    measure: async (rate) =>
      rate > 1000
        ? { measured: { ...calm, p99: 9e6 }, saturation: ['client CPU'] }
        : { measured: calm, saturation: [] },
  });
  assert.equal(knee.verdict, 'client');
});

test('an objective that holds although the client was late holds', async () => {
  const knee = await search(() => true, {
    measure: async () => ({ measured: calm, saturation: ['late'] }),
  });
  assert.equal(knee.verdict, 'above');
});

test('a fresh look that contradicts the interval is learnt from', async () => {
  // The server gets faster between the search and the look at it.
  let knee = 800;
  const found = await search((rate) => rate < knee, {
    progress: ({ stage }) => {
      if (stage === 'confirm') knee = 1600;
    },
  });
  assert.ok(found.probes.filter(({ stage }) => stage === 'confirm').length > 2);
  assert.equal(found.confirmation!.confirmed, true);
  assert.ok(found.interval!.low <= 1600 && 1600 <= found.interval!.high, JSON.stringify(found.interval));
});

test('a budget too small for a narrow interval is said', async () => {
  assert.equal((await search(simulated(4321, 0.1, 0.05, 'soft'), { maxProbes: 8 })).verdict, 'wide');
});

test('an empty range of rates is refused', () => {
  assert.throws(() => new Bisection(10, 10), RangeError);
});
