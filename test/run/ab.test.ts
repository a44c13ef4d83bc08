/** `dispatchbench ab` as a user runs it: rows, folder and exit codes; how well it decides is test/analysis/ab.test.ts. */
import assert from 'node:assert/strict';
import { existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { packageRoot } from '../../src/addon.js';
import { RunFolder } from '../../src/results/folder.js';
import { dispatchbench } from '../support/command.js';
import { freshFolder } from './fake-run.js';

const noForeign = process.platform === 'linux' ? false : 'foreign servers are wrapped on Linux only';
const script = (name: string) =>
  `${process.execPath} ${fileURLToPath(new URL(`../foreign/${name}.js`, import.meta.url))} {port} {address}`;
const [plain, slow] = [script('echo-script'), script('slow-echo-script')];
const tiny = ['--window', '300ms', '--connections', '50', '--seed', '1'];

test('ab of two builds pairs their trials in one run that report reads', () => {
  const out = freshFolder();
  const { status, stdout, stderr } = dispatchbench(
    'ab',
    ...[
      '--baseline',
      packageRoot,
      '--candidate',
      packageRoot,
      '--pairs',
      '3',
      '--out',
      out,
      '--format',
      'json',
    ],
    ...['--backends', 'poll', '--impl', 'native', '--idle', '0,20', ...tiny],
  );
  assert.equal(status, 0, stderr);
  const { rows, outcome, conditions } = JSON.parse(stdout);
  assert.equal(outcome, null);
  assert.deepEqual(conditions, []);
  assert.deepEqual(
    [...new Set(rows.map((row: { metric: string }) => row.metric))],
    ['throughput', 'cpu-per-request', 'open-cpu-per-request', 'latency-p50'],
  );
  for (const { pairs, a, b } of rows) assert.deepEqual([a.length, b.length], [pairs, pairs]);

  const [run] = readdirSync(out);
  const folder = RunFolder.open(out, run!);
  const samples = folder.samples();
  assert.equal(samples.length, 12);
  assert.deepEqual(Object.keys(folder.info().hosts), ['baseline', 'candidate']);
  assert.ok(existsSync(join(folder.path, 'report.html')));
  for (let first = 0; first < samples.length; first += 2) {
    const [one, other] = [samples[first]!, samples[first + 1]!];
    assert.deepEqual([one.block, one.cell], [other.block, other.cell], 'halves of a pair follow each other');
    assert.notEqual(one.host.name, other.host.name);
  }
  assert.equal(dispatchbench('report', folder.path).status, 0);
});

for (const [what, candidate, pairs, condition, code, said] of [
  ['sixty times the work is found', slow, 5, 'slower<3%', 2, /'slower<3%' does not hold in 1 of 1/],
  [
    'two pairs decide nothing',
    plain,
    2,
    'slower<3%',
    3,
    /not resolved in 1 of 1 comparisons; about \d+ pairs/,
  ],
  ['the same server is not ten times slower', plain, 5, 'slower<900%', 0, /holds in all of 1/],
] as const) {
  test(`ab exits with ${code} when ${what}`, { skip: noForeign }, () => {
    const { status, stdout, stderr } = dispatchbench(
      'ab',
      ...['--baseline', plain, '--candidate', candidate, '--pairs', `${pairs}`, '--threshold', condition],
      ...['--metric', 'cpu-per-request', '--out', freshFolder(), '--quiet', ...tiny],
    );
    assert.equal(status, code, stdout + stderr);
    assert.match(stdout, said);
  });
}
