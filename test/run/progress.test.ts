/** What a run shows while it goes on: on a terminal, in a log, as NDJSON, and when told to be quiet. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { type ProgressOptions, progress } from '../../src/cli/progress.js';
import type { RunEvent } from '../../src/contract/run.js';

const cell = { backend: 'poll', impl: 'ts', io: 'batch', idle: 1000, connections: 100 };
const place = { block: 0, position: 3, experiment: 'idle-connections', host: 'local', cell };
const warning = 'client and server share CPU 0';
const events: RunEvent[] = [
  { event: 'notice', message: 'backend kqueue is not available here' },
  {
    event: 'run-start',
    run: 'a-run',
    folder: 'results/a-run',
    cells: 12,
    impossible: 1,
    blocks: { min: 3, max: 5 },
    budgetMs: 100_000,
    seed: 7,
    kept: 0,
  },
  { event: 'trial-start', ...place, elapsedMs: 5000 },
  {
    event: 'trial-end',
    ...place,
    status: 'ok',
    error: null,
    gates: [warning],
    figures: '91 340/s',
    elapsedMs: 7000,
    durationMs: 2000,
  },
  {
    event: 'trial-end',
    ...place,
    position: 4,
    status: 'failed',
    error: `server ended with code 7 ${'x'.repeat(300)}`,
    gates: [],
    figures: '',
    elapsedMs: 9000,
    durationMs: 2000,
  },
  { event: 'block-end', block: 0, elapsedMs: 9000, precision: 0.034 },
];
const end: RunEvent = {
  event: 'run-end',
  run: 'a-run',
  folder: 'results/a-run',
  reason: 'budget',
  message: 'stopped because the time budget is used',
  trials: { ok: 1, invalid: 0, failed: 1, impossible: 1 },
  elapsedMs: 9000,
  report: null,
};

/** Everything that is written to a terminal (or a file) of 80 columns. */
function shown(
  context: TestContext,
  options: Partial<ProgressOptions>,
  isTTY: boolean,
  upToEnd = true,
): string {
  let text = '';
  const stream = new Writable({
    write(chunk, _, done) {
      text += chunk;
      done();
    },
  });
  const terminal = Object.assign(stream, { isTTY, columns: 80, rows: 24 }) as unknown as NodeJS.WriteStream;
  context.mock.method(console, 'log', (line: string) => {
    text += `${line}\n`;
  });
  const ci = process.env.CI;
  delete process.env.CI;
  try {
    const view = progress({ json: false, quiet: false, ...options }, terminal);
    for (const event of upToEnd ? [...events, end] : events) view.show(event);
    view.close();
  } finally {
    if (ci !== undefined) process.env.CI = ci;
  }
  return text;
}

test('a log gets one plain line per event that matters', (context) => {
  const lines = shown(context, {}, false).trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.equal(lines.join('\n'), stripVTControlCharacters(lines.join('\n')), 'no control characters');
  assert.match(lines[0]!, /^note: backend kqueue/);
  assert.match(
    lines[1]!,
    /a-run: 12 cells, 3 to 5 blocks, at most 1:40 min, seed 7, 1 cells impossible here/,
  );
  assert.match(
    lines[2]!,
    /^\[0:07\] block 1, 3\/12: poll · ts batch, idle 1000, connections 100: 91 340\/s \(client and/,
  );
  assert.match(lines[3]!, /failed: server ended with code 7/);
  assert.match(lines[4]!, /time budget/);
});

test('a terminal gets a view that is redrawn in place and never wider than it', (context) => {
  const text = shown(context, {}, true, false);
  assert.ok(text.includes('\u001b[2K'), 'lines are erased again');
  const lines = stripVTControlCharacters(text).split('\n');
  assert.ok(
    lines.some((line) => /block 1, trial 3 of 12 · \d+:\d\d elapsed, at most \d+:\d\d left/.test(line)),
  );
  assert.ok(lines.some((line) => /now {3}poll · ts batch, idle 1000/.test(line)));
  assert.ok(lines.some((line) => line.includes('91 340/s')));
  assert.ok(lines.some((line) => line.includes(warning)));
  assert.ok(lines.some((line) => line.includes('within ±3.4 %')));
  const drawn = lines.slice(lines.findIndex((line) => line.includes('━')));
  for (const line of drawn) assert.ok(line.length < 80, `${line.length}: ${line}`);
});

test('the view leaves the message of the end behind', (context) => {
  assert.match(shown(context, {}, true), /stopped because the time budget is used\n/);
});

test('--json is one event a line, --quiet only what the user must know', (context) => {
  const lines = shown(context, { json: true }, true).trimEnd().split('\n');
  assert.deepEqual(
    lines.map((line) => JSON.parse(line)),
    [...events, end],
  );
  assert.equal(shown(context, { quiet: true }, true), 'note: backend kqueue is not available here\n');
});
