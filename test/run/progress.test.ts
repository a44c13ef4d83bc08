/** What a run shows while it goes on: on a terminal, in a log, as NDJSON, and when told to be quiet. */
import assert from 'node:assert/strict';
import { Writable } from 'node:stream';
import { describe, type TestContext, test } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { Ansis } from 'ansis';
import { liveLines, nothingYet, take } from '../../src/cli/live.js';
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
    figure: { metric: 'cpu-per-request', unit: 'µs', value: 6.4 },
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
    figure: null,
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
  const { CI, NO_COLOR, TERM } = process.env;
  delete process.env.CI;
  delete process.env.NO_COLOR;
  process.env.TERM = 'xterm';
  try {
    const view = progress({ json: false, quiet: false, ...options }, terminal);
    for (const event of upToEnd ? [...events, end] : events) view.show(event);
    view.close();
  } finally {
    for (const [name, value] of Object.entries({ CI, NO_COLOR, TERM }))
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
  }
  return text;
}

test('a log gets one plain line per event that matters', (context) => {
  const lines = shown(context, {}, false).trimEnd().split('\n');
  assert.equal(lines.length, 5);
  assert.equal(lines.join('\n'), stripVTControlCharacters(lines.join('\n')), 'no control characters');
  assert.match(lines[0]!, /^note: backend kqueue/);
  assert.match(lines[1]!, /a-run: 12 cells, 3 to 5 blocks, at most 1:40 min, seed 7, 1 cell impossible here/);
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

describe('the view', () => {
  const ink = new Ansis(0);
  const screen = { columns: 100, rows: 30, elapsedMs: 10_000, ink };
  const trial = (backend: string, value: number, block: number): RunEvent => ({
    ...{
      event: 'trial-end',
      ...place,
      block,
      cell: { ...cell, backend },
      status: 'ok',
      error: null,
      gates: [],
    },
    ...{ figures: '', elapsedMs: 1, durationMs: 1 },
    figure: { metric: 'cpu-per-request', unit: 'µs', value },
  });
  const verdicts = (block: number, T3: string, T4: string): RunEvent => ({
    event: 'verdicts',
    block,
    verdicts: [
      { claim: 'T3', verdict: T3 },
      { claim: 'T4', verdict: T4 },
      { claim: 'T9', verdict: 'not tested' },
    ],
  });
  const start = events.find(({ event }) => event === 'run-start')!;
  const shownAfter = (...more: RunEvent[]) => liveLines([start, ...more].reduce(take, nothingYet), screen);
  const lineOf = (lines: string[], name: string) => lines.find((line) => line.startsWith(name))!;
  const width = (line: string) => line.split('━').length + line.split('●').length - 2;

  test('shows nothing before the run starts', () => assert.deepEqual(liveLines(nothingYet, screen), []));

  test('draws every cell on one scale, a dot before there is an interval, and a bar that narrows', () => {
    const blocks = [[20, 5], [10, 6], [15, 5.5], ...Array.from({ length: 12 }, () => [15, 5.5])].map(
      ([slow, fast], block) => [trial('poll', slow!, block), trial('epoll', fast!, block)],
    );
    const first = shownAfter(...blocks.slice(0, 1).flat());
    assert.match(lineOf(first, 'poll'), /·● {2}20(\.0+)? µs, 1 trial$/);
    assert.match(lineOf(first, 'epoll'), / {2}·{5,7}●·+ {2}5(\.0+)? µs, 1 trial$/);
    const [early, late] = [shownAfter(...blocks.slice(0, 3).flat()), shownAfter(...blocks.flat())];
    assert.match(lineOf(early, 'poll'), /[●━] {2}14\.42 \[\d.*\] µs$/);
    assert.ok(width(lineOf(late, 'poll')) < width(lineOf(early, 'poll')));
    for (const line of [...early, ...late]) assert.ok(line.length < screen.columns, line);
  });

  test('says when a verdict turned from open to decided, and back', () => {
    const line = (...all: RunEvent[]) => lineOf(shownAfter(...all), 'claims');
    const opened = verdicts(0, 'inconclusive', 'inconclusive');
    assert.equal(line(opened), 'claims  T3 open  T4 open');
    assert.equal(
      line(opened, verdicts(1, 'supported', 'inconclusive')),
      'claims  T3 supported (block 2)  T4 open',
    );
    const back = line(
      opened,
      verdicts(1, 'supported', 'inconclusive'),
      verdicts(2, 'inconclusive', 'contradicted'),
    );
    assert.equal(back, 'claims  T3 open (block 3)  T4 contradicted (block 3)');
  });

  test('keeps to the lines and columns that there are, with the cells measured last', () => {
    const many = Array.from({ length: 40 }, (_, i) => trial(`poll${i}`, i + 1, 0));
    const live = [start, ...many].reduce(take, nothingYet);
    for (const rows of [5, 12, 24]) {
      const lines = liveLines(live, { ...screen, columns: 60, rows });
      assert.ok(lines.length < Math.max(rows, 6), `${lines.length} lines`);
      for (const line of lines) assert.ok(line.length < 60, line);
      if (rows > 6) assert.ok(lineOf(lines, 'poll39') && !lineOf(lines, 'poll0 '));
    }
  });

  test('is none where colours are not wanted', () => {
    process.env.NO_COLOR = '1';
    let text = '';
    const stream = {
      isTTY: true,
      write(line: string) {
        text += line;
        return true;
      },
    } as unknown as NodeJS.WriteStream;
    try {
      const view = progress({ json: false, quiet: false }, stream);
      for (const event of [...events, end]) view.show(event);
      view.close();
    } finally {
      delete process.env.NO_COLOR;
    }
    assert.equal(text, stripVTControlCharacters(text));
  });
});
