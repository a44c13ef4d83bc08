/** What may be asked of a load (`load --threshold`), and what its result says. */
import {
  type Condition,
  conditionsOf,
  type Judgement,
  judge,
  type Vocabulary,
} from '../contract/conditions.js';
import type { LoadResult } from '../contract/load.js';
import { failuresOf } from './failures.js';
import { decodeHistogram } from './histogram.js';

export const loadVocabulary = {
  mean: 'time',
  max: 'time',
  /** requests without a reply, and those that went wrong in any way, of all */
  loss: 'share',
  errors: 'share',
  /** replies over what was due; of an open loop */
  achieved: 'share',
  /** replies per second */
  rate: 'number',
  replies: 'number',
  reconnects: 'number',
} as const satisfies Vocabulary;

export const loadConditions = (text: string): Condition[] => conditionsOf(text, loadVocabulary);

export function judgeLoad(conditions: readonly Condition[], result: LoadResult): Judgement[] {
  const { latency, requests, replies, offeredRate, achievedRate: rate, reconnects } = result;
  const { lost, errors } = failuresOf(result);
  const time = (ns: number) => (latency.count > 0 ? ns : Number.POSITIVE_INFINITY);
  const share = (count: number) => (requests > 0 ? count / requests : 1);
  const figures: Record<keyof typeof loadVocabulary, number | null> = {
    mean: time(latency.mean),
    max: time(latency.max),
    loss: share(lost),
    errors: share(errors),
    achieved: offeredRate === null ? null : rate / offeredRate,
    ...{ rate, replies, reconnects },
  };
  const histogram = decodeHistogram(latency.histogram);
  return judge(
    conditions,
    ({ metric, percentile }) =>
      percentile === null
        ? figures[metric as keyof typeof loadVocabulary]
        : time(histogram.getValueAtPercentile(percentile)),
    result.saturation,
  );
}
