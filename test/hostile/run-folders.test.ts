/** Run folders that somebody else prepared: each is reported as far as it can be, and nothing outside it is touched. */
import assert from 'node:assert/strict';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { outcome } from '../../src/report/terminal.js';
import { writeReport } from '../../src/report/write.js';
import { findRun } from '../../src/results/find.js';
import { writeProfile } from '../support/flame.js';
import { runFolder } from '../support/run-folder.js';
import { host, idleRun, syntheticSample } from '../support/samples.js';

const cell = { backend: 'epoll', impl: 'native', io: null, idle: 0 };
const good = syntheticSample({ cell, cpuUs: 6 });
const few = idleRun({ trials: 3, impls: ['native'] });

/** What `dispatchbench report FOLDER` does, in this process, and the text that it prints. @throws Error in one sentence */
const report = (folder: string): string => outcome(writeReport(findRun(folder)).analysis);

/** A copy of a value in which what stands under a path of names is another. */
function replaced<T>(value: T, path: string, by: unknown): T {
  const copy = structuredClone(value);
  const names = path.split('.');
  const last = names.pop()!;
  const parent = names.reduce(
    (inner, name) => inner[name] as Record<string, unknown>,
    copy as Record<string, unknown>,
  );
  parent[last] = by;
  return copy;
}

const another = { ...good, block: 1 };
const load = 'measurements.closed.load';

/** One line of samples.ndjson beside a good one: the good one is reported, the other one named. */
const lines: { name: string; line: string | object; says: RegExp }[] = [
  { name: 'half an object', line: '{"half', says: /line 2 of samples\.ndjson is refused: it is not JSON/ },
  { name: 'bytes that are no text', line: '\u0000\ufffd\u0001', says: /line 2 .*not JSON/ },
  { name: 'a number', line: '5', says: /line 2 .*is no sample/ },
  { name: 'null', line: 'null', says: /line 2 .*is no sample/ },
  { name: 'an object of nobody', line: '{}', says: /line 2 .*is no sample/ },
  { name: 'the same trial twice', line: good, says: /line 2 .*line 1 has this cell of this block/ },
  {
    name: 'an experiment that is a path',
    line: replaced(another, 'experiment', '../../pwn'),
    says: /line 2 .*experiment: must be a name/,
  },
  {
    name: 'a server that is a path',
    line: replaced(another, 'cell.impl', '../../pwn'),
    says: /line 2 .*cell.impl: /,
  },
  {
    name: 'a host that is a path',
    line: replaced(another, 'host.name', '../../pwn'),
    says: /line 2 .*host.name: must be a name/,
  },
  {
    name: 'a histogram that is none',
    line: replaced(another, `${load}.latency.histogram`, 'AAAA'),
    says: /line 2 .*latency.histogram/,
  },
  {
    name: 'a histogram cut short',
    line: replaced(another, `${load}.latency.histogram`, latencyText().slice(0, 60)),
    says: /line 2 .*latency.histogram/,
  },
  { name: 'negative idle connections', line: replaced(another, 'cell.idle', -5), says: /line 2 .*cell.idle/ },
  { name: 'an endless level', line: replaced(another, 'cell.idle', 1e308), says: /line 2 .*cell.idle/ },
  { name: 'a window of no time', line: replaced(another, `${load}.windowNs`, 0), says: /line 2 .*windowNs/ },
  {
    name: 'an endless window',
    line: replaced(another, `${load}.windowNs`, 1e308),
    says: /line 2 .*windowNs/,
  },
  { name: 'a negative duration', line: replaced(another, 'durationMs', -1), says: /line 2 .*durationMs/ },
  { name: 'an endless duration', line: replaced(another, 'durationMs', 1e308), says: /line 2 .*durationMs/ },
];

function latencyText(): string {
  const found = (good.measurements.closed as unknown as { load: { latency: { histogram: string } } }).load;
  return found.latency.histogram;
}

/** What the report says of lines that it leaves out. */
const serious = (folder: string) =>
  readFileSync(join(folder, 'report.html'), 'utf8').match(/The trial of line \d+ [^<]*/)?.[0] ?? 'nothing';

describe('a run folder from elsewhere, line by line', () => {
  for (const { name, line, says } of lines) {
    it(`${name}: named, and the rest is reported`, (t) => {
      const folder = runFolder(t, [good]);
      appendFileSync(
        join(folder, 'samples.ndjson'),
        `${typeof line === 'string' ? line : JSON.stringify(line)}\n`,
      );
      report(folder);
      assert.match(serious(folder), says);
      assert.deepEqual(readdirSync(dirname(folder)), ['run'], 'nothing beside the run');
    });
  }
});

/** Links where the report writes: their targets stay as they are. */
const links = [
  ...['report.html', 'summary.csv', 'summary.tsv', 'claims.json', 'plots', 'autobench'],
  ...['report.html.part', 'summary.csv.part', 'claims.json.part', 'plots.part'],
];

describe('a run folder with links in it', () => {
  for (const name of links) {
    it(`${name}: the target is not touched`, (t) => {
      const folder = runFolder(t, few);
      const target = join(dirname(folder), 'target');
      writeFileSync(target, 'mine');
      symlinkSync(target, join(folder, name));
      report(folder);
      assert.equal(readFileSync(target, 'utf8'), 'mine');
      assert.ok(existsSync(join(folder, 'report.html')));
    });
  }

  it('a linked folder of profiles is left out, and its target as it is', (t) => {
    const folder = runFolder(t, few);
    const outside = join(dirname(folder), 'outside');
    mkdirSync(join(folder, 'flame'));
    writeProfile(outside);
    rmSync(join(outside, 'flame.html'));
    symlinkSync(outside, join(folder, 'flame', 'linked'));
    report(folder);
    assert.equal(existsSync(join(outside, 'flame.html')), false);
  });

  for (const file of [
    'page',
    'profiles.0.files.folded',
    'profiles.0.files.speedscope',
    'difference.files.folded',
  ]) {
    it(`a profile whose ${file} is a path is refused by name`, (t) => {
      const folder = runFolder(t, few);
      const profile = join(folder, 'flame', 'profile');
      mkdirSync(join(folder, 'flame'));
      writeProfile(profile);
      const record = join(profile, 'flame.json');
      writeFileSync(
        record,
        JSON.stringify(replaced(JSON.parse(readFileSync(record, 'utf8')), file, '../../../pwn')),
      );
      assert.throws(() => report(folder), { message: /^\S+flame\.json: \S+: must be a name.*$/ });
      assert.deepEqual(readdirSync(dirname(folder)), ['run']);
    });
  }
});

describe('a run folder that cannot be used', () => {
  const record = (folder: string) => join(folder, 'run.json');
  const cases: { name: string; spoil(folder: string): void; says: RegExp }[] = [
    {
      name: 'run.json cut short',
      spoil: (folder) => writeFileSync(record(folder), readFileSync(record(folder), 'utf8').slice(0, 99)),
      says: /run\.json is not JSON/,
    },
    {
      name: 'run.json is null',
      spoil: (folder) => writeFileSync(record(folder), 'null'),
      says: /schema version/,
    },
    {
      name: 'samples.ndjson is a folder',
      spoil(folder) {
        rmSync(join(folder, 'samples.ndjson'));
        mkdirSync(join(folder, 'samples.ndjson'));
      },
      says: /samples\.ndjson cannot be read.*EISDIR/,
    },
    {
      name: 'a loop of links',
      spoil(folder) {
        rmSync(join(folder, 'samples.ndjson'));
        symlinkSync('samples.ndjson', join(folder, 'samples.ndjson'));
      },
      says: /samples\.ndjson/,
    },
    {
      name: 'no line is a sample',
      spoil: (folder) => writeFileSync(join(folder, 'samples.ndjson'), '[]\n'),
      says: /no sample of this run can be used: line 1: it is no sample/,
    },
    {
      name: 'a host of no name',
      spoil: (folder) =>
        writeFileSync(
          join(folder, 'samples.ndjson'),
          `${JSON.stringify({ ...good, host: { ...host, name: '' } })}\n`,
        ),
      says: /line 1: host.name/,
    },
  ];
  for (const { name, spoil, says } of cases) {
    it(`${name}: one sentence`, (t) => {
      const folder = runFolder(t, few);
      spoil(folder);
      assert.throws(
        () => report(folder),
        ({ message }: Error) => says.test(message) && !message.includes('\n'),
      );
    });
  }
});
