/** Which of two mechanisms costs less, as people ask it, in one headline and a sentence for each cost. */
import type { ExperimentAnalysis } from '../analysis/analyse.js';
import { type Bout, type Contest, type Outcome, sameWithin } from '../analysis/contest.js';
import { number } from '../number.js';
import { listed, times, titleInSentence } from './sentences.js';
import { factorName, implementationName } from './words.js';

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

const order = Object.keys(outcomeInWords) as Outcome[];

/** "less"; "less (native server), more (TypeScript server)"; "less or as much", where it depends on the level as well. */
function together(bouts: readonly Bout[]): string {
  const servers = new Map<string, Set<Outcome>>();
  for (const { series, at } of bouts) {
    const name = implementationName(series.levels);
    servers.set(name, new Set([...(servers.get(name) ?? []), ...at.map(({ outcome }) => outcome)]));
  }
  const found = order.filter((one) => [...servers.values()].some((outcomes) => outcomes.has(one)));
  const byServer = found.length > 1 && [...servers.values()].every(({ size }) => size === 1);
  return byServer
    ? found
        .map((one) => {
          const those = [...servers].flatMap(([name, outcomes]) => (outcomes.has(one) ? [name] : []));
          return `${outcomeInWords[one]} (${listed(those)})`;
        })
        .join(', ')
    : listed(
        found.map((one) => outcomeInWords[one]),
        'or',
      );
}

/** In each state of a server; once, where all are alike. */
function headlineOf(bouts: readonly Bout[]): string {
  const states = new Map<string, Bout[]>();
  for (const bout of bouts) states.set(bout.when, [...(states.get(bout.when) ?? []), bout]);
  const said = [...states].map(([when, those]) => [when, together(those)] as const);
  const alike = said.every(([, words]) => words === said[0]![1]);
  return alike ? said[0]![1] : said.map(([when, words]) => `for ${when} ${words}`).join('; ');
}

function sentenceOf({ incumbent, challenger }: Contest, bouts: readonly Bout[], factor: string): string {
  const { metric, when } = bouts[0]!;
  const each = bouts.map(
    ({ series, at }) =>
      `${implementationName(series.levels)} ${at.map(({ x, ratio, outcome }) => `${times(ratio)} at ${number(x)} (${outcomeInWords[outcome]})`).join(', ')}`,
  );
  return `For ${when}, ${titleInSentence(metric)} with ${challenger} over that with ${incumbent}, by ${factorName(factor)}: ${each.join('; ')}.`;
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
    headline: `${question}${host} What a request costs with ${challenger}: ${headlineOf(bouts)}.`,
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
