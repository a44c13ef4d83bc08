/** What may be asked of every rate of a ramp (`ramp --threshold`), and what a step says. */
import {
  type Condition,
  conditionsOf,
  type Judgement,
  judge,
  type Vocabulary,
} from '../contract/conditions.js';
import { type SessionResult, totalFailures } from '../contract/ramp.js';
import { decodeHistogram } from '../load/histogram.js';

/** Latency is the response time: from before a request is sent to the first byte of its reply. */
export const rampVocabulary = {
  mean: 'time',
  max: 'time',
  connect: 'time',
  /** failed connections of all that were started */
  errors: 'share',
  /** replies per second */
  rate: 'number',
  failures: 'number',
} as const satisfies Vocabulary;

export const rampConditions = (text: string): Condition[] => conditionsOf(text, rampVocabulary);

/** A real httperf tells no distribution: percentiles and maximum of it are not measured. */
export function judgeSessions(
  conditions: readonly Condition[],
  result: SessionResult,
  problems: readonly string[],
): Judgement[] {
  const { detail, replies, connections } = result;
  const failures = totalFailures(result.failures);
  const time = (ns: number) => (replies > 0 ? ns : Number.POSITIVE_INFINITY);
  const figures: Record<keyof typeof rampVocabulary, number | null> = {
    mean: time(result.responseMs * 1e6),
    max: detail && time(detail.response.max),
    connect: result.connectMs * 1e6,
    errors: failures / Math.max(1, connections),
    rate: result.replyRate.avg,
    failures,
  };
  const histogram = detail && decodeHistogram(detail.response.histogram);
  return judge(
    conditions,
    ({ metric, percentile }) =>
      percentile === null
        ? figures[metric as keyof typeof rampVocabulary]
        : histogram && time(histogram.getValueAtPercentile(percentile)),
    problems,
  );
}
