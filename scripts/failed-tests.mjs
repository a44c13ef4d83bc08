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
  for await (const { type, data } of events) {
    if (type !== 'test:fail' || data.todo || repeats.has(data.details.error?.failureType)) continue;
    yield `${relative(process.cwd(), data.file ?? '')}: ${data.name}\n    ${said(data.details.error)}\n`;
  }
}
