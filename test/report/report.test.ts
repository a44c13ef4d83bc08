import assert from 'node:assert/strict';
import { appendFileSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { stripVTControlCharacters } from 'node:util';
import { slowed } from '../../bench/slowed.js';
import { analyse } from '../../src/analysis/analyse.js';
import { outcome } from '../../src/report/terminal.js';
import { analyseRun, writeReport } from '../../src/report/write.js';
import { findRun } from '../../src/results/find.js';
import { parseSamples } from '../../src/results/parse.js';
import { runFolder, writeSamples } from '../support/run-folder.js';
import { host, idleRun, runInfo, syntheticSample } from '../support/samples.js';

const short = { trials: 3, impls: ['baseline', 'native'] };

function derived(folder: string): Map<string, string> {
  const names = readdirSync(folder, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile() && !['run.json', 'samples.ndjson'].includes(entry.name))
    .map((entry) => join(entry.parentPath, entry.name));
  return new Map(names.sort().map((name) => [name, readFileSync(name, 'utf8')]));
}

describe('report', () => {
  it('is rebuilt to the byte from run.json and samples.ndjson', (t) => {
    const folder = runFolder(t, idleRun(short));
    writeReport(folder);
    const first = derived(folder);
    for (const name of first.keys()) rmSync(name);
    writeReport(folder);
    assert.deepEqual(derived(folder), first);
    for (const name of ['report.html', 'summary.csv', 'summary.tsv', 'claims.json']) {
      assert.ok(first.has(join(folder, name)), name);
    }
    assert.ok([...first.keys()].some((name) => name.endsWith('.svg')));
  });

  it('stands alone: nothing is fetched, under 3 MB', (t) => {
    const folder = runFolder(t, idleRun(short));
    const text = readFileSync(writeReport(folder).report, 'utf8');
    assert.ok(text.length < 3e6, `${text.length} bytes`);
    const markup = text.replaceAll(/<script[^>]*>.*?<\/script>/gs, (script) =>
      script.slice(0, script.indexOf('>') + 1),
    );
    assert.doesNotMatch(markup, /<(?:script|img|link|iframe)[^>]+(?:src|href)="(?!data:)/);
  });

  it('escapes what a run says about itself', (t) => {
    const sample = syntheticSample({ cell: { backend: 'epoll', impl: 'native', idle: 0 }, cpuUs: 6 });
    const evil = { ...sample, host: { ...host, cpuModel: '<img src=x onerror=alert(1)>' } };
    const text = readFileSync(writeReport(runFolder(t, [evil])).report, 'utf8');
    assert.ok(!text.includes('<img src=x'));
  });

  it('shows failed, invalid and impossible trials and leaves them out of figures', () => {
    const cell = { backend: 'epoll', impl: 'native', io: null, idle: 0, connections: 100 };
    const samples = [
      ...idleRun(short),
      syntheticSample({ cell, block: 8, cpuUs: 600, status: 'invalid' }),
      syntheticSample({ cell, block: 9, cpuUs: 600, status: 'failed' }),
    ];
    const parse = (list: object[]) =>
      analyse(runInfo(), parseSamples(list.map((sample) => `${JSON.stringify(sample)}\n`).join('')));
    const [with_, without] = [parse(samples), parse(idleRun(short))];
    assert.equal(with_.excluded.length, 2);
    const mean = (analysis: typeof with_) =>
      analysis.experiments[0]!.cells.map(({ figures }) => figures.get('cpu-per-request')!.interval);
    assert.deepEqual(mean(with_), mean(without));
    assert.ok(with_.notices.some(({ text }) => text.includes('client-saturated')));
  });

  const wide: { name: string; of(index: number): number }[] = [
    { name: 'ordinary figures', of: () => 1 },
    { name: 'intervals wider than their means', of: (index) => (index % 2 === 0 ? 1 : 900) },
    { name: 'figures of many digits', of: (index) => 1e-9 * (1 + (index % 3)) },
    { name: 'figures near zero and huge ones', of: (index) => (index % 2 === 0 ? 1e-12 : 1e9) },
  ];
  for (const { name, of } of wide) {
    it(`closes within 100 columns with ${name}`, () => {
      const samples = idleRun({ idle: Array.from({ length: 40 }, (_, i) => 400 * i), trials: 2 }).map(
        (sample, index) => slowed(sample, of(index)),
      );
      const invalid = syntheticSample({ cell: samples[0]!.cell, block: 9, cpuUs: 6, status: 'invalid' });
      const long = { id: 'long', invalidates: true, message: `${'word '.repeat(60)}${'x'.repeat(250)} 97 %` };
      const lines = [...samples, { ...invalid, gates: [long] }].map(
        (sample) => `${JSON.stringify(sample)}\n`,
      );
      const text = stripVTControlCharacters(outcome(analyse(runInfo(), parseSamples(lines.join('')))));
      assert.deepEqual(
        text.split('\n').filter((line) => line.length > 100),
        [],
      );
      assert.ok(text.includes('97 %'), 'nothing of a notice is cut off');
      assert.ok(!/\d…/.test(text), 'nothing of a figure is cut off');
    });
  }
});

describe('bad input to the report', () => {
  const good = syntheticSample({ cell: { backend: 'epoll', impl: 'native', idle: 0 }, cpuUs: 6 });
  const { executionClass: _, ...classless } = host;
  const refusals = [
    { name: 'no execution class', sample: { ...good, host: classless }, says: /execution class/ },
    {
      name: 'a coarse clock',
      sample: { ...good, host: { ...host, clockStepNs: 1500 } },
      says: /steps by 1500 ns/,
    },
    { name: 'a missing field', sample: { ...good, measurements: 3 }, says: /measurements/ },
  ];
  for (const { name, sample, says } of refusals) {
    it(`refuses a sample with ${name}`, (t) => {
      assert.throws(() => analyseRun(runFolder(t, [sample])), says);
      const { refused, samples, notices } = analyseRun(runFolder(t, [good, sample]));
      assert.equal(samples.length, 1);
      assert.match(refused[0]!.reason, says);
      assert.equal(refused[0]!.line, 2);
      assert.ok(notices.some(({ level, text }) => level === 'serious' && text.includes('line 2')));
    });
  }

  it('names the line of another schema version', (t) => {
    const folder = runFolder(t, [good, { ...good, schemaVersion: 3 }]);
    assert.throws(
      () => analyseRun(folder),
      /samples\.ndjson was written by dispatchbench of another version \(schema version 3\) and this one reads schema version 2: use the one that wrote it/,
    );
  });

  it('leaves out a last line cut short, with a notice', (t) => {
    const folder = runFolder(t, [good], { tail: JSON.stringify(good).slice(0, 100) });
    const { samples, notices } = analyseRun(folder);
    assert.equal(samples.length, 1);
    assert.ok(notices.some(({ text }) => text.includes('line 2) was cut short')));
  });

  it('names a broken line in the middle', (t) => {
    const folder = runFolder(t, [good]);
    appendFileSync(join(folder, 'samples.ndjson'), '{"half\n');
    const { samples, refused } = analyseRun(folder);
    assert.equal(samples.length, 1);
    assert.deepEqual(refused, [{ line: 2, cell: '', reason: 'it is not JSON' }]);
  });

  it('says what is wrong with a missing, foreign or empty run', (t) => {
    const empty = mkdtempSync(join(tmpdir(), 'dispatchbench-run-'));
    t.after(() => rmSync(empty, { recursive: true }));
    assert.throws(() => findRun('no-such-run', empty), /there is no run 'no-such-run'/);
    assert.throws(() => findRun(empty), /is not a run: it has no samples.ndjson/);
    assert.throws(() => findRun('latest', empty), /holds no run yet/);
    writeSamples(empty, []);
    assert.throws(() => analyseRun(empty), /holds no sample yet/);
  });
});
