/**
 * Conditions that have to hold, as a user writes them: `p99<5ms`, `loss<1%`, `cpu-per-request<+5%`. One grammar for every
 * command that judges figures, one meaning, and one exit code for each outcome.
 *
 *     condition = metric operator limit
 *     operator  = '<' | '<=' | '>' | '>=' | '='
 *     limit     = number with the unit that its metric has; a change is signed
 *
 * Several are divided by commas.
 */

/** Not resolved: the figures cannot tell, because the client was the limit, or the trials are too few. */
export type Outcome = 'passed' | 'failed' | 'not resolved';

const operators = {
  '<=': (value: number, limit: number) => value <= limit,
  '>=': (value: number, limit: number) => value >= limit,
  '<': (value: number, limit: number) => value < limit,
  '>': (value: number, limit: number) => value > limit,
  '=': (value: number, limit: number) => value === limit,
};
export type Operator = keyof typeof operators;

/** What a metric is counted in: nanoseconds, a share of 1, or a plain number. */
export type Kind = 'time' | 'share' | 'number';

/** Metrics of a command, and what each is; percentiles of the latency are metrics of every one and not listed. */
export type Vocabulary = Readonly<Record<string, Kind>>;

const units: Record<Kind, Record<string, number>> = {
  time: { ns: 1, us: 1e3, µs: 1e3, ms: 1e6, s: 1e9 },
  share: { '': 1, '%': 0.01 },
  number: { '': 1 },
};
const unitsInWords: Record<Kind, string> = {
  time: 'needs a unit: ns, us, ms or s',
  share: 'needs a share: 0.01 or 1%',
  number: 'takes no unit',
};

/** About one figure of a measurement. */
export interface Condition {
  /** as it was written */
  text: string;
  /** a name of the vocabulary, or a percentile as `percentileName` has it */
  metric: string;
  /** of the latency; null: another metric */
  percentile: number | null;
  kind: Kind;
  operator: Operator;
  /** nanoseconds, a share of 1, or a number */
  limit: number;
}

export const percentileName = (percentile: number): string => `p${percentile}`;

/** 'p99', 'p99.9', 'p99_9', 'p999' and k6's 'p(99.9)' -> the percentile; null: none. */
export function percentileOfName(name: string): number | null {
  const [, parenthesised, plain] = /^p(?:\((\d+(?:\.\d+)?)\)|(\d+(?:[._]\d+)?))$/.exec(name) ?? [];
  const digits = parenthesised ?? plain?.replace('_', '.');
  if (digits === undefined) return null;
  // Two digits stand before the point where nobody wrote it.
  const percentile = Number(
    /^\d{3,}$/.test(digits) && digits !== '100' ? `${digits.slice(0, 2)}.${digits.slice(2)}` : digits,
  );
  return percentile > 0 && percentile <= 100 ? percentile : null;
}

interface Parts {
  text: string;
  name: string;
  operator: Operator;
  sign: string;
  number: number;
  unit: string;
}

const shape =
  /^([a-z][\w-]*|p\(\d+(?:\.\d+)?\)|p\d+\.\d+)\s*(<=|>=|==|<|>|=)\s*([+−-]?)\s*(\d+(?:\.\d+)?)\s*([a-zµ%]*)$/;

function partsOf(condition: string): Parts | null {
  const text = condition.trim();
  const [, name, operator, sign, number, unit] = shape.exec(text) ?? [];
  if (name === undefined) return null;
  return {
    text,
    name,
    operator: (operator === '==' ? '=' : operator) as Operator,
    sign: sign!,
    number: Number(number),
    unit: unit!,
  };
}

function conditionOf(text: string, vocabulary: Vocabulary): Condition {
  const parts = partsOf(text);
  if (!parts)
    throw new Error(`'${text.trim()}' is not a condition: write for example p99<5ms, loss<1% or errors=0`);
  const percentile = percentileOfName(parts.name);
  const kind = percentile === null ? vocabulary[parts.name] : 'time';
  if (kind === undefined)
    throw new Error(
      `'${parts.name}' is not measured: use a percentile such as p99, or ${Object.keys(vocabulary).join(', ')}`,
    );
  const scale = parts.sign === '' ? units[kind][parts.unit] : undefined;
  if (scale === undefined) throw new Error(`'${parts.text}': ${parts.name} ${unitsInWords[kind]}`);
  if (kind === 'share' && parts.unit === '' && parts.number > 1)
    throw new Error(
      `'${parts.text}': ${parts.name} is a share, and ${parts.number} is more than all: 0.01 or 1%`,
    );
  return {
    text: parts.text,
    metric: percentile === null ? parts.name : percentileName(percentile),
    percentile,
    kind,
    operator: parts.operator,
    limit: parts.number * scale,
  };
}

/** @throws Error in one sentence */
export const conditionsOf = (text: string, vocabulary: Vocabulary): Condition[] =>
  text.split(',').map((one) => conditionOf(one, vocabulary));

export const holds = ({ operator, limit }: Pick<Condition, 'operator' | 'limit'>, value: number): boolean =>
  operators[operator](value, limit);

export interface Judgement {
  condition: Condition;
  outcome: Outcome;
  /** null: it was not measured */
  value: number | null;
  /** why the value is not the server's; empty: it is, as far as the client can see */
  doubts: readonly string[];
}

/**
 * What figures say of conditions. One that holds holds: a client at its limit makes every figure worse. One that does not
 * hold then says nothing of the server.
 */
export const judge = (
  conditions: readonly Condition[],
  figure: (condition: Condition) => number | null,
  doubts: readonly string[],
): Judgement[] =>
  conditions.map((condition) => {
    const value = figure(condition);
    const passed = value !== null && holds(condition, value);
    const known = value !== null && doubts.length === 0;
    return { condition, outcome: passed ? 'passed' : known ? 'failed' : 'not resolved', value, doubts };
  });

/** 7.2e6 ns -> '7.2 ms' */
function inWords(value: number, kind: Kind): string {
  const short = (number: number) => `${Number(number.toPrecision(4))}`;
  if (!Number.isFinite(value)) return 'without end';
  if (kind === 'share') return `${short(100 * value)} %`;
  if (kind === 'number') return short(value);
  return value >= 1e9
    ? `${short(value / 1e9)} s`
    : value >= 1e6
      ? `${short(value / 1e6)} ms`
      : `${short(value / 1e3)} us`;
}

/** "'p99<5ms' does not hold: p99 is 7.2 ms" */
export function judgementInWords({ condition, outcome, value, doubts }: Judgement): string {
  const { text, metric, kind } = condition;
  if (value === null) return `'${text}' is not resolved: ${metric} was not measured`;
  const seen = `${metric} is ${inWords(value, kind)}`;
  if (outcome === 'passed') return `'${text}' holds: ${seen}`;
  return outcome === 'failed'
    ? `'${text}' does not hold: ${seen}`
    : `'${text}' is not resolved: ${seen}, but the client may be the limit (${doubts[0]})`;
}

/** Of several: failed where one has, else not resolved where one is not. */
export const worst = (outcomes: readonly Outcome[]): Outcome =>
  outcomes.includes('failed') ? 'failed' : outcomes.includes('not resolved') ? 'not resolved' : 'passed';

/** About a change between two sides. */
export interface ChangeCondition {
  text: string;
  /** a metric; or 'slower', 'faster': of everything compared by its ratio; or 'unchanged': nothing is to differ */
  of: string;
  operator: Operator;
  /** percent; of a metric that is a share itself, percentage points */
  limit: number;
}

const asChange =
  "write for example slower<3%, cpu-per-request<+5%, throughput>-2%, loss<+0.1% or 'unchanged'";

function changeOf(text: string, nameOf: (name: string) => string | null): ChangeCondition {
  if (text.trim() === 'unchanged') return { text: 'unchanged', of: 'unchanged', operator: '=', limit: 0 };
  const parts = partsOf(text);
  if (!parts || parts.operator === '=') throw new Error(`'${text.trim()}' is not a condition: ${asChange}`);
  const { name, operator, sign, number, unit } = parts;
  const general = name === 'slower' || name === 'faster';
  const of = general ? name : nameOf(name);
  if (of === null) throw new Error(`'${name}' is not compared: ${asChange}`);
  if (unit !== '%' && unit !== 'pp')
    throw new Error(`'${parts.text}': a change is a share of what was: ${number}% (of a share, points)`);
  if (general && (sign === '-' || sign === '−' || operator.startsWith('>')))
    throw new Error(`'${parts.text}': how much ${name} anything may be has an upper bound: ${name}<3%`);
  return { text: parts.text, of, operator, limit: (sign === '' || sign === '+' ? 1 : -1) * number };
}

/** @param nameOf a metric by what a user may call it; null: it is not compared. @throws Error in one sentence */
export const changesOf = (text: string, nameOf: (name: string) => string | null): ChangeCondition[] =>
  text.split(',').map((one) => changeOf(one, nameOf));

const turned: Record<string, Operator> = { '<': '>=', '<=': '>', '>': '<=', '>=': '<' };

/**
 * `--fail-if` says what must not hold: the condition that then has to. What is no condition is left for its reader to refuse.
 */
export const opposite = (text: string): string =>
  text === 'different' ? 'unchanged' : text.replace(/<=|>=|<|>/, (operator) => turned[operator]!);
