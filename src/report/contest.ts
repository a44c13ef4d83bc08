/** Which of two mechanisms costs less, as people ask it, in one headline and a sentence for each cost. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { type Bout, type Contest, type Outcome, sameWithin } from '../analysis/contest.js';
import { number } from '../number.js';
import { listed, times } from './sentences.js';
import { factorName, implementationName, levelInWords } from './words.js';

const outcomeInWords: Record<Outcome, string> = {
  less: 'less',
  same: 'as much',
  more: 'more',
  unclear: 'not resolved',
};

export interface ContestInWords {
  headline: string;
  sentences: string[];
  remark: string;
}

/** Where a server's costs came out so: all of a state it is in, or one level of it. */
function placesOf(bouts: readonly Bout[], factor: string): Map<Outcome, string[]> {
  const places = new Map<Outcome, string[]>();
  for (const { when, at } of bouts) {
    const alike = at.every(({ outcome }) => outcome === at[0]!.outcome);
    for (const { x, outcome } of alike ? at.slice(0, 1) : at) {
      const place = alike ? when : `${when} at ${levelInWords(factor, x)}`;
      places.set(outcome, [...(places.get(outcome) ?? []), place]);
    }
  }
  return places;
}

function ofServer(bouts: readonly Bout[], factor: string): string {
  const places = placesOf(bouts, factor);
  const several = places.size > 1;
  const parts = [...places].map(
    ([outcome, where]) => `${outcomeInWords[outcome]}${several ? ` (${listed(where)})` : ''}`,
  );
  return `${implementationName(bouts[0]!.series.levels)}: ${parts.join(', ')}`;
}

function byServer(bouts: readonly Bout[]): Bout[][] {
  const servers = new Map<string, Bout[]>();
  for (const bout of bouts) servers.set(bout.series.key, [...(servers.get(bout.series.key) ?? []), bout]);
  return [...servers.values()];
}

function sentenceOf({ incumbent, challenger }: Contest, bouts: readonly Bout[], factor: string): string {
  const { metric, when } = bouts[0]!;
  const title = metric.title.split(',')[0]!.toLowerCase().replace('cpu', 'CPU');
  const each = bouts.map(
    ({ series, at }) =>
      `${implementationName(series.levels)} ${at.map(({ x, ratio }) => `${times(ratio)} at ${number(x)}`).join(', ')}`,
  );
  return `For ${when}, ${title} with ${challenger} over that with ${incumbent}, by ${factorName(factor)}: ${each.join('; ')}.`;
}

/** @param several whether hosts have to be named */
export function contestInWords(
  contest: Contest,
  { factor }: Pick<ExperimentAnalysis, 'factor'>,
  several: boolean,
): ContestInWords {
  const { question, challenger, bouts } = contest;
  const host = several ? ` (${bouts[0]!.series.host.name})` : '';
  const costs = [...new Set(bouts.map(({ metric }) => metric))];
  return {
    headline: `${question}${host} What a request costs with ${challenger}: ${byServer(bouts)
      .map((one) => ofServer(one, factor))
      .join('; ')}.`,
    sentences: costs.map((metric) =>
      sentenceOf(
        contest,
        bouts.filter((bout) => bout.metric === metric),
        factor,
      ),
    ),
    remark: `Less and more: shown at 5 % for all of these ratios together, by blocks (Holm); as much: the ratio's 90 % interval lies within ${number(100 * sameWithin)} %.`,
  };
}
