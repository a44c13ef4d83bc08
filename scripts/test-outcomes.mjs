// Reporter of Node's test runner: a line of JSON for each failure, what one looks for in a long log ({file, failed: text}),
// and one for each file at the end, where the minutes went ({file, seconds}).
import { relative } from 'node:path';

/** Failures of a group that only repeat what one of its parts reported. */
const repeats = new Set(['subtestsFailed', 'cancelledByParent']);

/** The messages of an error and of what caused it, each once. */
function said(error) {
  const lines = [];
  for (let at = error; at instanceof Error && lines.length < 4; at = at.cause) {
    if (at.message && !lines.includes(at.message)) lines.push(at.message);
  }
  return lines.join('\n').split('\n').slice(0, 12).join('\n    ');
}

const line = (outcome) => `${JSON.stringify(outcome)}\n`;

export default async function* testOutcomes(events) {
  // What began last in each file: where one hangs that runs out of time.
  const begun = new Map();
  const spans = new Map();
  for await (const { type, data } of events) {
    const { file = '', name, details, todo, nesting } = data ?? {};
    if (nesting === 0 && (type === 'test:pass' || type === 'test:fail'))
      spans.set(file, (spans.get(file) ?? 0) + (details?.duration_ms ?? 0));
    if (type === 'test:dequeue' && name !== file) begun.set(file, name);
    const why = details?.error?.failureType;
    if (type !== 'test:fail' || todo || repeats.has(why)) continue;
    const last =
      why === 'testTimeoutFailure' ? `\n    what began last in it: ${begun.get(file) ?? 'nothing'}` : '';
    yield line({ file: relative(process.cwd(), file), failed: `${name}\n    ${said(details.error)}${last}` });
  }
  for (const [file, ms] of spans)
    yield line({ file: relative(process.cwd(), file), seconds: Math.round(ms / 10) / 100 });
}
