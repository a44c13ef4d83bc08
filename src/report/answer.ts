/** What a run answers, in sentences and one picture: what every output opens with. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { type Answer, holdsBelow, type Standing } from '../analysis/answer.js';
import { circumstances, hostNames, labelsAmong, type Series } from '../analysis/cells.js';
import type { RunInfo } from '../contract/run.js';
import { knownExperiment } from '../experiments/registry.js';
import { number } from '../number.js';
import { hostAnswer } from './across-hosts.js';
import { contestInWords } from './contest.js';
import { withInterval } from './format.js';
import { gainsInWords } from './gains.js';
import type { Plot } from './plot.js';
import { isBaseline, nameOf, panelsOf, plotSeries, pointsOf } from './plot-series.js';
import { type AnswerInWords, listed, times, titleInSentence } from './sentences.js';
import { levelInWords, worded } from './words.js';

/** What a mechanism is called among others of an answer. */
function namesIn({ standings, overcome }: Answer): (series: Series) => string {
  const all = [...standings.map(({ series }) => series), ...overcome];
  const isUnique = new Set(all.map(nameOf)).size === all.length;
  const labelOf = labelsAmong(all, []);
  return (series) => (isUnique ? nameOf(series) : labelOf(series));
}

/** What the first answer says of each mechanism, and a later one of those that it has no figure of. */
function outcomes(answers: readonly Answer[]): Map<string, Standing['outcome']> {
  const said = new Map<string, Standing['outcome']>();
  for (const answer of answers) {
    const nameIn = namesIn(answer);
    const here = [
      ...answer.standings.map(({ series, outcome }) => [nameIn(series), outcome] as const),
      ...answer.overcome.map((series) => [nameIn(series), 'grows'] as const),
    ];
    for (const [name, outcome] of here) if (!said.has(name)) said.set(name, outcome);
  }
  return said;
}

const placeOf = ({ standings: [one] }: Answer) =>
  `${one!.series.host.name} ${circumstances(one!.series.levels)}`;

/** Of the first host and circumstances that were measured. */
function headlineOf(answers: readonly [Answer, ...Answer[]], factor: string): string {
  const said = outcomes(answers.filter((one) => placeOf(one) === placeOf(answers[0])));
  const those = (wanted: Standing['outcome']) =>
    [...said].flatMap(([name, outcome]) => (outcome === wanted ? [name] : []));
  const [holding, growing, unclear] = [those('holds'), those('grows'), those('unclear')];
  const place = `at ${levelInWords(factor, answers[0].far)}`;
  const verb = (names: readonly string[]) => (names.length === 1 ? 'holds' : 'hold');
  const does = (names: readonly string[]) => (names.length === 1 ? 'does' : 'do');
  if (holding.length + growing.length === 0)
    return `Not resolved: whether ${listed(unclear)} ${verb(unclear)} ${place}.`;
  const parts = [
    ...(holding.length > 0 ? [`${listed(holding)} ${verb(holding)} ${place}`] : []),
    ...(growing.length > 0
      ? [`${listed(growing)} ${does(growing)} not${holding.length > 0 ? '' : ` hold ${place}`}`]
      : []),
    ...(unclear.length > 0 ? [`whether ${listed(unclear)} ${does(unclear)} is not resolved`] : []),
  ];
  return `${parts.join('; ')}.`;
}

function sentenceOf(answer: Answer, factor: string, host: string | null): string {
  const { metric, when, near, far, standings, overcome } = answer;
  const nameIn = namesIn(answer);
  const noun = / per (\w+)/.exec(metric.title)?.[1] ?? 'request';
  const around = [circumstances(standings[0]!.series.levels), ...(host === null ? [] : [host])].filter(
    Boolean,
  );
  const growth = standings.map((one) => `${nameIn(one.series)} ${times(one.growth)}`).join(', ');
  const [cheapest, ...others] = standings as [Standing, ...Standing[]];
  // From the one that costs most, which is what a reader has to know.
  const more = others
    .reverse()
    .flatMap(({ against, series }) =>
      against
        ? [
            `${withInterval(against.extra, metric.unit)} more with ${nameIn(series)} (${times(against.factor)})`,
          ]
        : [],
    );
  const conclusion =
    more.length === 0
      ? ''
      : ` There ${/^[aeiou]/.test(noun) ? 'an' : 'a'} ${noun} costs ${listed(more)} than with ${nameIn(cheapest.series)}.`;
  const beyond =
    overcome.length === 0
      ? ''
      : ` ${listed(overcome.map(nameIn))} ${overcome.length === 1 ? 'has' : 'have'} no time to spare there, and no cost at this load.`;
  return `For ${when} (${around.join(', ')}), ${titleInSentence(metric)} at ${levelInWords(factor, far)} over that at ${number(near)}: ${growth}.${conclusion}${beyond}`;
}

/** What is left open, and the command that takes more. */
function nextOf(experiment: ExperimentAnalysis, run: RunInfo | null): string | null {
  const open = experiment.answers.flatMap((answer) =>
    answer.standings.filter(({ outcome }) => outcome === 'unclear'),
  );
  if (open.length === 0) return null;
  const needed = open.map(({ blocksNeeded }) => blocksNeeded).filter((blocks) => blocks !== null);
  const scatter =
    needed.length > 0
      ? ` By the scatter of this run about ${number(Math.max(...needed))} blocks would decide.`
      : '';
  const profile = run?.plan.experiments.find((one) => one.experiment === experiment.name)?.profile ?? 'quick';
  const command = `dispatchbench run ${experiment.name} --profile ${profile === 'quick' ? 'thesis' : 'full'}`;
  return `Not everything is resolved.${scatter} Next: ${command}`;
}

/** Null of an experiment that asks something else, or a run without two ends to compare. */
export function answerInWords(experiment: ExperimentAnalysis, run: RunInfo | null): AnswerInWords | null {
  const { name, answers, contests, factor, series } = experiment;
  const [first] = answers;
  if (!first) return hostAnswer(experiment, run) ?? gainsInWords(experiment);
  const several = hostNames(series).length > 1;
  const asked = contests.map((one) => contestInWords(one, experiment, several));
  const next = nextOf(experiment, run);
  return {
    headline: worded(name, headlineOf([first, ...answers.slice(1)], factor)),
    questions: asked.map((one) => worded(name, one.headline)),
    sentences: [
      ...asked.flatMap(({ sentences }) => sentences),
      ...answers.map((answer) =>
        sentenceOf(answer, factor, several ? answer.standings[0]!.series.host.name : null),
      ),
    ].map((sentence) => worded(name, sentence)),
    remarks: [
      `A mechanism holds where its cost is shown to grow by less than × ${holdsBelow} (90 % interval), and does not where the whole 95 % interval lies above.`,
      ...new Set(asked.map(({ remark }) => remark)),
      ...(next === null ? [] : [next]),
    ],
  };
}

/** The first cost that most mechanisms have at both ends, along the axis, a line for each, named where it ends. */
export function answerPlot(experiment: ExperimentAnalysis): Plot | null {
  // A mechanism may have a cost at neither end: what the headline says of it would not be seen.
  const most = Math.max(...experiment.answers.map(({ standings }) => standings.length));
  const widest = experiment.answers.filter(({ standings }) => standings.length === most);
  const first = widest.find(({ overcome }) => overcome.length === 0) ?? widest[0];
  if (!first) return null;
  const { metric, standings } = first;
  const shown = standings.map(({ series }) => series);
  const baselines = experiment.series.filter(
    (one) => isBaseline(one) && one.host.name === shown[0]!.host.name,
  );
  const [panel] = panelsOf([...baselines.filter((one) => !shown.includes(one)), ...shown], (one) => [
    plotSeries(one, experiment.series, pointsOf(one, experiment, metric)),
  ]);
  if (!panel) return null;
  const words = (text: string) => worded(experiment.name, text);
  const axis = knownExperiment(experiment.name)?.factors[experiment.factor]?.name ?? experiment.factor;
  return {
    id: `${experiment.name}-answer`,
    title: words(`${metric.title} against ${axis}`),
    meaning: words(`${metric.title}: ${panel.title}, means over trials with 95 % intervals.`),
    kind: 'lines',
    xName: axis,
    yName: words(`${metric.title.split(',')[0]} (${metric.unit})`.replace('Server CPU', 'CPU')),
    unit: metric.unit,
    panels: [{ ...panel, title: words(panel.title) }],
    namesAtEnds: true,
    rows: [],
    logX: !knownExperiment(experiment.name)?.linearAxis,
    logY: true,
  };
}
