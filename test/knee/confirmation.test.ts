import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lookAgain, type Outcome } from '../../src/knee/confirmation.js';
import type { Probe } from '../../src/knee/probe.js';

const interval = { low: 980, high: 1020, median: 1000, confidence: 0.95 };

/** A side's probes, one letter a repetition: h held, f failed, c the client's fault. */
const cases: [name: string, below: string[], above: string[], transition: number, Outcome][] = [
  ['both sides at once', ['hhh'], ['fff'], 1.02, 'confirmed'],
  ['a disturbance below is outvoted', ['fff', 'hhh', 'hhh'], ['fff', 'fff', 'fff'], 1.02, 'confirmed'],
  ['the majority holds above as well', ['hhh', 'hhh', 'hhh'], ['hhh', 'hhf', 'fff'], 1.02, 'higher'],
  ['the majority breaks below as well', ['fff', 'fhf', 'hhf'], ['fff', 'fff', 'fff'], 1.02, 'lower'],
  ['both sides are the wrong way round', ['fff', 'fff', 'fff'], ['hhh', 'hhh', 'hhh'], 1.02, 'reversed'],
  ['a knee too soft for looks so near', ['hhh', 'hhf', 'hhh'], ['hfh', 'hfh', 'fhh'], 1.6, 'gradual'],
  ['a client that cannot follow', ['hhh', 'hhh', 'hhh'], ['ccc', 'ccc', 'ccc'], 1.02, 'client'],
];

for (const [name, below, above, transition, outcome] of cases)
  test(`a fresh look: ${name} (${outcome})`, async () => {
    const asked: number[] = [];
    const probe = async (rate: number): Promise<Probe> => {
      const side = rate < interval.median ? below : above;
      const letters = side[asked.filter((one) => one === rate).length]!;
      asked.push(rate);
      const count = (letter: string) => [...letters].filter((one) => one === letter).length;
      const repetitions = [...letters].map(() => ({ measured: {} as never, saturation: [] }));
      return { rate, stage: 'confirm', repetitions, held: count('h'), failed: count('f') };
    };
    const look = await lookAgain(interval, transition, 3, probe);
    assert.equal(look.outcome, outcome);
    assert.deepEqual(asked, Array(below.length).fill([950, 1050]).flat());
  });

test('an interval that reaches beyond is looked at from its ends', async () => {
  const asked: number[] = [];
  await lookAgain({ ...interval, low: 800, high: 1300 }, 1.02, 1, async (rate) => {
    asked.push(rate);
    return { rate, stage: 'confirm', repetitions: [], held: 0, failed: 0 };
  });
  assert.deepEqual(asked, [800, 1300]);
});
