import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Bisection } from '../../src/knee/bisection.js';
import { broken, type Measurement, parseObjective } from '../../src/knee/objective.js';
import { findKnee, type KneeOptions } from '../../src/knee/search.js';
import { randomFrom } from '../../src/statistics/random.js';

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

interface Noise {
  /** of the transition, natural log of the rate */
  width: number;
  /** shares of wrong answers: broken though the rate is low, held though it is high */
  broken?: number;
  held?: number;
  /** share of time in disturbances, during which nothing holds, and how many answers one lasts */
  disturbed?: number;
  lasting?: number;
}

/** A server whose objective holds with a chance that falls around `knee`, on a machine with such noise. */
function simulated(knee: number, noise: Noise, seed: string) {
  const { width, broken = 0, held = 0, disturbed = 0, lasting = 1 } = noise;
  const random = randomFrom(seed);
  let quiet = true;
  return (rate: number): boolean => {
    quiet = quiet ? random() >= disturbed / (1 - disturbed) / lasting : random() < 1 / lasting;
    return quiet && random() < held + (1 - held - broken) / (1 + Math.exp(Math.log(rate / knee) / width));
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
  assert.deepEqual(broken(parseObjective('loss<=1%'), { ...calm, loss: 0.01 }), []);
});

for (const [text, message] of [
  ['p99<5', /needs a unit/],
  ['p98<5ms', /'p98' is not measured/],
  ['loss<5ms', /needs a share/],
  ['fast', /not a condition/],
  ['', /not a condition/],
] as const)
  test(`refuses the objective '${text}'`, () => assert.throws(() => parseObjective(text), message));

// One lapse in ten ends plain bisection in a wrong half nearly always.
for (const [name, noise] of [
  ['a sharp knee', { width: 0.003 }],
  ['a soft knee', { width: 0.05 }],
  ['one answer in ten wrong, either way', { width: 0.02, broken: 0.1, held: 0.1 }],
  ['one in four breaks that should hold', { width: 0.01, broken: 0.25 }],
  ['disturbances that outlast a probe', { width: 0.01, disturbed: 0.08, lasting: 4 }],
] as [string, Noise][])
  test(`the 95 % interval covers the truth at its confidence, within its probes: ${name}`, async () => {
    const random = randomFrom(name);
    const searches = 200;
    const maxProbes = 30;
    let [covered, decided] = [0, 0];
    for (let run = 0; run < searches; run += 1) {
      const knee = 200 * 300 ** random();
      const found = await search(simulated(knee, noise, `${name} ${run}`), { maxProbes });
      assert.ok(found.probes.length <= maxProbes, `${found.probes.length} probes`);
      assert.equal(found.interval === null, found.confirmation === null);
      if (!found.interval || !found.confirmation) continue;
      if (found.interval.low <= knee && knee <= found.interval.high) covered += 1;
      if (['confirmed', 'gradual'].includes(found.confirmation.outcome)) decided += 1;
    }
    // 95 % of 200 are expected; 4 standard deviations (3.1) below that.
    assert.ok(covered >= 178, `${covered} of ${searches} intervals covered the truth`);
    assert.ok(decided >= 0.8 * searches, `${decided} of ${searches} were confirmed, or said to be gradual`);
  });

test('a sharp knee is found, confirmed on both sides, and the limiting terms are named', async () => {
  const knee = await search(simulated(4321, { width: 0.002 }, 'sharp'));
  assert.equal(knee.verdict, 'found');
  assert.ok(knee.interval!.high / knee.interval!.low <= 1.05);
  assert.equal(knee.confirmation!.outcome, 'confirmed');
  assert.deepEqual(
    knee.limiting.map(({ term }) => term),
    ['p99<5ms', 'achieved>=0.99'],
  );
});

test('no knee within reach is said, not guessed', async () => {
  assert.equal((await search(() => true)).verdict, 'above');
  assert.equal((await search(() => false)).verdict, 'below');
  const few = await search(() => true, { maxProbes: 4 });
  assert.deepEqual([few.verdict, few.interval, few.held], ['above', null, 200]);
});

/** A client that is late above `follows`, where a broken objective therefore says nothing. */
const limitedClient = (server: (rate: number) => boolean, follows: (rate: number) => boolean) => ({
  measure: async (rate: number) => ({
    measured: server(rate) && follows(rate) ? calm : { ...calm, p99: 9e6 },
    saturation: follows(rate) ? [] : ['late'],
  }),
});

test('a client that gives out before the server is named, with the rate that it could still follow', async () => {
  const always = () => true;
  const knee = await search(
    always,
    limitedClient(always, (rate) => rate < 1000),
  );
  assert.deepEqual([knee.verdict, knee.interval, knee.limiting], ['client', null, []]);
  assert.ok(knee.held! < 1000 && knee.held! > 1000 / 1.05 ** 2, `held at ${knee.held}`);
});

test('a client that gives out beyond the knee does not keep the search from it', async () => {
  // Doubling from 100 leaps from 3200 to 6400, which this client cannot follow.
  const server = simulated(4321, { width: 0.002 }, 'beyond');
  const knee = await search(
    server,
    limitedClient(server, (rate) => rate < 5000),
  );
  assert.equal(knee.verdict, 'found');
  assert.equal(knee.confirmation!.outcome, 'confirmed');
  assert.ok(knee.interval!.low <= 4321 && 4321 <= knee.interval!.high, JSON.stringify(knee.interval));
});

test('a look that the client cannot follow confirms nothing', async () => {
  const server = simulated(4321, { width: 0.002 }, 'edge');
  const knee = await search(
    server,
    limitedClient(server, (rate) => rate < 4450),
  );
  assert.equal(knee.verdict, 'found');
  assert.equal(knee.confirmation!.outcome, 'client');
});

test('a client disturbed for a while is asked again', async () => {
  const server = simulated(4321, { width: 0.002 }, 'once');
  let disturbed = 9;
  const knee = await search(
    server,
    limitedClient(server, (rate) => rate !== 800 || --disturbed < 0),
  );
  assert.equal(knee.verdict, 'found');
  assert.ok(knee.interval!.low <= 4321 && 4321 <= knee.interval!.high, JSON.stringify(knee.interval));
});

test('a client that cannot follow even the lowest rate is no verdict on the server', async () => {
  const knee = await search(
    () => true,
    limitedClient(
      () => true,
      () => false,
    ),
  );
  assert.deepEqual([knee.verdict, knee.held], ['client', null]);
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
  assert.equal(found.confirmation!.outcome, 'confirmed');
  assert.ok(found.interval!.low <= 1600 && 1600 <= found.interval!.high, JSON.stringify(found.interval));
});

test('a budget too small for a narrow interval is said', async () => {
  assert.equal(
    (await search(simulated(4321, { width: 0.1, broken: 0.05, held: 0.05 }, 'soft'), { maxProbes: 12 }))
      .verdict,
    'wide',
  );
});

test('an empty range of rates is refused', () => {
  assert.throws(() => new Bisection(10, 10), RangeError);
});
