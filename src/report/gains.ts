/** What more of something brings, as people ask it: one headline, and a sentence for each series. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { asMuchWithin, type Gain, gainsFrom } from '../analysis/gains.js';
import { number } from '../number.js';
import { predictionsInWords } from './predictions.js';
import { type AnswerInWords, listed, times, titleInSentence } from './sentences.js';
import { factorName } from './words.js';

/** The level that the published target is about; where it was not measured, the furthest. */
const askedLevel = 8;

const told = ({ at }: Gain) => at.find(({ x }) => x === askedLevel) ?? at.at(-1)!;

const outcomes = ['gain', 'loss', 'no gain', 'not resolved'] as const;

/** "8 streams over 1, goodput: gain over a · cubic (× 9.3 [8.9, 9.8]); no gain over b · bbr (× 1.06 [1.05, 1.07])." */
function headlineOf(gains: readonly Gain[], factor: string): string {
  const [first] = gains as [Gain, ...Gain[]];
  const parts = outcomes.flatMap((outcome) => {
    const those = gains.filter((one) => told(one).outcome === outcome);
    if (those.length === 0) return [];
    return [
      `${outcome} with ${listed(those.map((one) => `${one.series.label} (${times(told(one).ratio)})`))}`,
    ];
  });
  return `${number(told(first).x)} ${factorName(factor)} over ${number(first.near)}, ${titleInSentence(first.metric)}: ${parts.join('; ')}.`;
}

/** Null where nothing was measured at two levels, and beside no peer. */
export function gainsInWords({
  gains: found,
  factor,
  predictions,
}: ExperimentAnalysis): AnswerInWords | null {
  const { gains, beside, adapted } = found;
  // The peer's own gain is a sentence: the question is about ours.
  const ours = gains.filter(({ series }) => !beside.some(({ peer }) => peer === series));
  const headline = ours.length > 0 ? ours : gains;
  if (headline.length === 0 && beside.length === 0) return null;
  const each = gains.map(
    ({ series, near, at, metric }) =>
      `${series.label}: ${titleInSentence(metric)} over that of ${number(near)}: ${at
        .map(({ x, ratio, outcome }) => `${times(ratio)} with ${number(x)} (${outcome})`)
        .join(', ')}.`,
  );
  const peers = beside.map(
    ({ series, peer, at, metric }) =>
      `${series.label}: ${titleInSentence(metric)} over that of ${peer.levels.impl}: ${at
        .map(({ x, ratio, outcome }) => `${times(ratio)} with ${number(x)} (${outcome})`)
        .join(', ')}.`,
  );
  return {
    headline:
      headline.length > 0
        ? headlineOf(headline, factor)
        : `One number of ${factorName(factor)} was measured: a gain needs two.`,
    questions: [],
    sentences: [
      ...each,
      ...peers,
      ...adapted.map(
        ({ series, best, worst, ratio, outcome, metric }) =>
          `${series.label}: ${titleInSentence(metric)} over that of ${worst ? `the worst fixed number, ${number(worst.x)}: ${times(worst.ratio)}, and of ` : ''}the best fixed number in hindsight, ${number(best)}: ${times(ratio)} (${outcome}).`,
      ),
      ...(predictions ? predictionsInWords(predictions) : []),
    ],
    remarks: [
      `A gain is shown where the whole 95 % interval lies above × ${gainsFrom}, no gain where it lies below; as much as the peer is within ${100 * asMuchWithin} % (90 % interval).`,
    ],
  };
}
