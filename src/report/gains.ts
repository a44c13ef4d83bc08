/** What more of something brings, as people ask it: one headline, and for each host a sentence on each comparison. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { hostNames, levelLabel, type Series, seriesLabel, varyingFactors } from '../analysis/cells.js';
import { asMuchWithin, type BesidePeer, type Gain, gainsFrom } from '../analysis/gains.js';
import { number } from '../number.js';
import type { Interval } from '../statistics/interval.js';
import { predictionsInWords } from './predictions.js';
import { type AnswerInWords, listed, times, titleInSentence } from './sentences.js';
import { factorName } from './words.js';

/** The level that the published target is about; where it was not measured, the furthest. */
const askedLevel = 8;

const told = ({ at }: Gain) => at.find(({ x }) => x === askedLevel) ?? at.at(-1)!;

const outcomes = ['gain', 'loss', 'no gain', 'not resolved'] as const;

/** What tells one of them from the others, beside the host; of servers only where there are several. */
function namesAmong(all: readonly Series[]): (series: Series) => string {
  const factors = varyingFactors(all.map(({ levels }) => levels));
  const several = new Set(all.map(({ levels }) => seriesLabel(levels))).size > 1;
  return ({ levels }) => {
    const words = factors.map((name) => levelLabel(name, levels[name])).filter(Boolean);
    return [...(several || words.length === 0 ? [seriesLabel(levels)] : []), ...words].join(' · ');
  };
}

/** That there is no interval is said once, in the remarks. */
const shown = (ratio: Interval) => (ratio.low === null ? `× ${number(ratio.estimate)}` : times(ratio));

/** By host, in the order in which they come. */
function byHost<One extends { series: Series }>(all: readonly One[]): { host: string; those: One[] }[] {
  return hostNames(all.map(({ series }) => series)).map((host) => ({
    host,
    those: all.filter(({ series }) => series.host.name === host),
  }));
}

/** "8 streams over 1, goodput: no gain with bbr (× 1.01 [0.98, 1.04]) over a; gain with cubic (× 9.3 [8.9, 9.8]) over b." */
function headlineOf(gains: readonly Gain[], factor: string): string {
  const [first] = gains as [Gain, ...Gain[]];
  const hosts = byHost(gains);
  const parts = hosts.map(({ host, those }) => {
    const nameOf = namesAmong(those.map(({ series }) => series));
    const found = outcomes.flatMap((outcome) => {
      const alike = those.filter((one) => told(one).outcome === outcome);
      const names = alike.map((one) => `${nameOf(one.series)} (${shown(told(one).ratio)})`);
      return alike.length === 0 ? [] : [`${outcome} with ${listed(names)}`];
    });
    return `${found.join(', ')}${hosts.length > 1 ? ` on ${host}` : ''}`;
  });
  return `${number(told(first).x)} ${factorName(factor)} over ${number(first.near)}, ${titleInSentence(first.metric)}: ${parts.join('; ')}.`;
}

/** "local · iperf3: goodput over that of 1: bbr: × 1.01 [0.98, 1.04] with 8 (no gain); cubic: ..." */
function sentencesOf<One extends { series: Series }>(
  all: readonly One[],
  what: (one: One) => string,
  found: (one: One) => string,
): string[] {
  const kinds = [...new Set(all.map((one) => `${seriesLabel(one.series.levels)}\n${what(one)}`))];
  return byHost(all).flatMap(({ host, those }) =>
    kinds.flatMap((kind) => {
      const alike = those.filter((one) => `${seriesLabel(one.series.levels)}\n${what(one)}` === kind);
      const [first] = alike;
      if (!first) return [];
      const nameOf = namesAmong(alike.map(({ series }) => series));
      const each = alike.map((one) =>
        alike.length === 1 ? found(one) : `${nameOf(one.series)} ${found(one)}`,
      );
      return [`${host} · ${seriesLabel(first.series.levels)}: ${what(first)}: ${each.join('; ')}.`];
    }),
  );
}

const alongAxis = ({ at }: Pick<Gain | BesidePeer, 'at'>) =>
  at.map(({ x, ratio, outcome }) => `${shown(ratio)} with ${number(x)} (${outcome})`).join(', ');

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
  const ratios = [
    ...[...gains, ...beside].flatMap(({ at }) => at.map(({ ratio }) => ratio)),
    ...adapted.map(({ ratio }) => ratio),
  ];
  return {
    headline:
      headline.length > 0
        ? headlineOf(headline, factor)
        : `One number of ${factorName(factor)} was measured: a gain needs two.`,
    questions: [],
    sentences: [
      ...sentencesOf(
        gains,
        ({ metric, near }) => `${titleInSentence(metric)} over that of ${number(near)}`,
        alongAxis,
      ),
      ...sentencesOf(
        beside,
        ({ metric, peer }) => `${titleInSentence(metric)} over that of ${peer.levels.impl}`,
        alongAxis,
      ),
      ...sentencesOf(
        adapted,
        ({ metric }) =>
          `${titleInSentence(metric)} of as many as pay over that of the best fixed number in hindsight`,
        ({ best, worst, ratio, outcome }) =>
          `${shown(ratio)} over ${number(best)} (${outcome})${worst ? `, ${shown(worst.ratio)} over the worst, ${number(worst.x)}` : ''}`,
      ),
      ...(predictions ? predictionsInWords(predictions) : []),
    ],
    remarks: [
      `A gain is shown where the whole 95 % interval lies above × ${gainsFrom}, no gain where it lies below; as much as the peer is within ${100 * asMuchWithin} % (90 % interval).`,
      ...(ratios.some(({ low }) => low === null)
        ? ['Where there are fewer than three trials there is no interval, and nothing is resolved.']
        : []),
    ],
  };
}
