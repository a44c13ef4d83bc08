// Reporter of Node's test runner that names only what failed, a line or a few each: in a long log that is what one looks for.
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

export default async function* failedTests(events) {
  // What began last in each file: where one hangs that runs out of time.
  const begun = new Map();
  for await (const { type, data } of events) {
    const { file = '', name, details, todo } = data ?? {};
    if (type === 'test:dequeue' && name !== file) begun.set(file, name);
    const why = details?.error?.failureType;
    if (type !== 'test:fail' || todo || repeats.has(why)) continue;
    const last =
      why === 'testTimeoutFailure' ? `\n    what began last in it: ${begun.get(file) ?? 'nothing'}` : '';
    yield `${relative(process.cwd(), file)}: ${name}\n    ${said(details.error)}${last}\n`;
  }
}
