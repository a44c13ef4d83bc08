import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { analyse } from '../../src/analysis/analyse.js';
import { answerInWords, answerPlot } from '../../src/report/answer.js';
import { measured } from '../../src/trials/sample.js';
import { idleRun, runInfo } from '../support/samples.js';

const experimentOf = (options: Parameters<typeof idleRun>[0]) =>
  analyse(runInfo(), { samples: idleRun(options), refused: [], notices: [] }).experiments[0]!;

describe('the answer of a run', () => {
  it('says who holds, who does not, and by how much', () => {
    const experiment = experimentOf({});
    const { standings, near, far } = experiment.answers[0]!;
    assert.deepEqual([near, far], [0, 16_000]);
    assert.deepEqual(
      standings.map(({ series, outcome }) => [series.levels.backend, outcome]),
      [
        ['epoll', 'holds'],
        ['select', 'grows'],
        ['poll', 'grows'],
      ],
    );
    const { factor, extra } = standings[1]!.against!;
    assert.ok(factor.low! < (6.4 + 0.009 * 16_000) / 6.4 && factor.high! > (6.4 + 0.009 * 16_000) / 6.4);
    assert.ok(extra.low! < 1.4 * 144 && extra.high! > 1.4 * 144);
    assert.match(
      answerInWords(experiment, runInfo())!.headline,
      /^epoll holds at 16.000 idle connections; select and poll do not\.$/,
    );
  });

  it('what cannot bear the load at the far end does not hold, and is not compared at another load', () => {
    const samples = idleRun({}).map((sample) => {
      const { backend, idle } = sample.cell;
      const open = measured(sample, 'open', 'load');
      if (backend === 'epoll' || idle === 0 || !open) return sample;
      const offeredLess = { ...open, askedRate: 50_000 };
      return { ...sample, measurements: { ...sample.measurements, open: offeredLess } };
    });
    const experiment = analyse(runInfo(), { samples, refused: [], notices: [] }).experiments[0]!;
    const [open, closed] = experiment.answers;
    assert.deepEqual(
      open!.standings.map(({ series }) => series.levels.backend),
      ['epoll'],
    );
    assert.deepEqual(open!.overcome.map(({ levels }) => levels.backend).sort(), ['poll', 'select']);
    assert.deepEqual(closed!.overcome, []);
    const { headline, sentences } = answerInWords(experiment, runInfo())!;
    assert.match(
      headline,
      /^epoll holds at 16.000 idle connections; (select and poll|poll and select) do not\.$/,
    );
    assert.match(sentences[0]!, /have no time to spare there/);
    // The picture is of a cost that all of them have at both ends.
    for (const { points } of answerPlot(experiment)!.panels[0]!.series)
      assert.deepEqual([points[0]!.x, points.at(-1)!.x], [0, 16_000]);
  });

  it('is drawn by the cost that most mechanisms have, where some have another one at neither end', () => {
    const samples = idleRun({}).map((sample) => {
      const open = measured(sample, 'open', 'load');
      if (sample.cell.backend === 'epoll' || !open) return sample;
      return { ...sample, measurements: { ...sample.measurements, open: { ...open, askedRate: 50_000 } } };
    });
    const experiment = analyse(runInfo(), { samples, refused: [], notices: [] }).experiments[0]!;
    assert.equal(experiment.answers[0]!.standings.length, 1);
    const drawn = answerPlot(experiment)!.panels[0]!.series.filter(({ role }) => role === 'mechanism');
    assert.deepEqual(drawn.map(({ name }) => name).sort(), ['epoll', 'poll', 'select']);
  });

  it('says that it cannot, and what to run next', () => {
    const experiment = experimentOf({ noise: 0.4, trials: 3, backends: ['epoll'] });
    const { headline, remarks } = answerInWords(experiment, runInfo())!;
    assert.match(headline, /^Not resolved: whether epoll holds/);
    assert.match(remarks.join(' '), /Next: dispatchbench run idle-connections --profile thesis/);
  });
});
