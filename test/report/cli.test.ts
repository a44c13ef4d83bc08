import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { appendFileSync, cpSync, existsSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { request } from 'node:http';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { parquetReadObjects } from 'hyparquet';
import { runFolder } from '../support/run-folder.js';
import { idleRun, runInfo } from '../support/samples.js';

const cli = (...args: string[]) =>
  spawnSync(process.execPath, ['bin/dispatchbench.js', ...args], { encoding: 'utf8' });
const start = (...args: string[]) => spawn(process.execPath, ['bin/dispatchbench.js', ...args]);
const few = { trials: 3, impls: ['native'] };

/** Status and body of a request with the path exactly as given. */
function get(port: number, path: string, host = '127.0.0.1'): Promise<{ status: number; body: string }> {
  return new Promise((done, fail) => {
    request({ port, path, host: '127.0.0.1', headers: { host } }, (response) => {
      let body = '';
      response.on('data', (chunk) => {
        body += chunk;
      });
      response.on('end', () => done({ status: response.statusCode!, body }));
    })
      .on('error', fail)
      .end();
  });
}

async function ended(child: ChildProcess): Promise<void> {
  if (child.exitCode === null && child.signalCode === null) {
    child.kill();
    await once(child, 'exit');
  }
}

describe('commands on finished runs', () => {
  it('report and claims print tables and JSON', (t) => {
    const folder = runFolder(t, idleRun(few));
    const report = cli('report', folder);
    assert.equal(report.status, 0, report.stderr);
    assert.match(report.stdout, /Report: .*report\.html/);
    const claims = cli('claims', folder, '--json');
    const verdicts = JSON.parse(claims.stdout) as {
      id: string;
      verdict: string;
      evidence: { link: string }[];
    }[];
    assert.equal(verdicts.find(({ id }) => id === 'T3')!.verdict, 'supported');
    const page = readFileSync(join(folder, 'report.html'), 'utf8');
    const { link } = verdicts.find(({ id }) => id === 'T3')!.evidence[0]!;
    assert.ok(page.includes(`id="${link.split('#')[1]}"`), link);
  });

  it('end with one sentence and a code when there is nothing to read', () => {
    for (const name of ['report', 'claims', 'open']) {
      const { status, stderr } = cli(name, 'no-such-run');
      assert.notEqual(status, 0);
      assert.match(stderr, /^dispatchbench: there is no run 'no-such-run'.*\n$/);
    }
  });

  it('compare exits with 2 when its condition does not hold, also in the old spelling', (t) => {
    const more = { ...few, trials: 12, idle: [0], backends: ['epoll'] };
    const [a, b] = [
      runFolder(t, idleRun(more)),
      runFolder(t, idleRun({ ...more, impls: ['native'], seed: 5 })),
    ];
    assert.equal(cli('compare', a, b, '--threshold', 'slower<3%').status, 0);
    const text = readFileSync(join(b, 'samples.ndjson'), 'utf8');
    const slower = text.replaceAll(
      /"systemUs":(\d+(?:\.\d+)?)/g,
      (_, us) => `"systemUs":${Number(us) * 1.5}`,
    );
    writeFileSync(join(b, 'samples.ndjson'), slower);
    for (const condition of [
      ['--threshold', 'slower<=3%'],
      ['--fail-if', 'slower>3%'],
    ]) {
      const failed = cli('compare', a, b, ...condition);
      assert.equal(failed.status, 2, failed.stdout);
      assert.match(failed.stderr, /^dispatchbench: 'slower<=3%' does not hold in \d+ of \d+ comparisons\n$/);
    }
    const { rows, outcome } = JSON.parse(cli('compare', a, b, '--json', '--threshold', 'slower<3%').stdout);
    assert.ok(rows.length > 0 && outcome === 'failed');
  });

  it('history lists runs of a folder and names what it cannot read', (t) => {
    const folder = runFolder(t, idleRun(few));
    const { status, stdout } = cli('history', '--out', dirname(folder), '--csv');
    assert.equal(status, 0);
    assert.match(stdout, /^run,started_at,experiment/);
    assert.match(cli('history', '--out', join(folder, 'none')).stderr, /there is no folder/);
  });

  it('history writes every figure as Parquet, the same as CSV says', async (t) => {
    const folder = runFolder(t, idleRun(few));
    const single = runFolder(t, idleRun({ ...few, trials: 1 }));
    cpSync(single, join(dirname(folder), 'single'), { recursive: true });
    const file = join(dirname(folder), 'all.parquet');
    const { status, stderr } = cli('history', '--out', dirname(folder), '--parquet', file);
    assert.equal(status, 0, stderr);
    const bytes = readFileSync(file);
    const rows = await parquetReadObjects({
      file: bytes.buffer.slice(bytes.byteOffset, bytes.byteOffset + bytes.length) as ArrayBuffer,
    });
    const csv = cli('history', '--out', dirname(folder), '--csv', '--metric', 'latency-p50').stdout;
    const [head, ...lines] = csv.trim().split('\n');
    const plain = rows
      .filter(({ metric }) => metric === 'latency-p50')
      .map((row) =>
        Object.values(row)
          .map((value) => (`${value ?? ''}`.includes(',') ? `"${value}"` : `${value ?? ''}`))
          .join(','),
      );
    assert.deepEqual(Object.keys(rows[0]!).join(','), head);
    assert.deepEqual(plain, lines);
    assert.ok(new Set(rows.map(({ metric }) => metric)).size > 5, 'not one figure only');
    assert.ok(
      rows.some(({ low95, trials }) => low95 === null && trials === 1),
      'one trial has no interval',
    );
    const refused = cli('history', '--out', dirname(folder), '--parquet', join(folder, 'none', 'x'));
    assert.notEqual(refused.status, 0);
  });

  it('open serves the folder on loopback and nothing else', async (t) => {
    const folder = runFolder(t, idleRun(few));
    const child = start('open', folder);
    t.after(() => ended(child));
    const [line] = (await once(child.stdout, 'data')) as [Buffer];
    const port = Number(/127\.0\.0\.1:(\d+)/.exec(line.toString())![1]);
    assert.match((await get(port, '/')).body, /^<!doctype html>/);
    assert.equal((await get(port, '/summary.csv')).status, 200);
    for (const path of ['/../../etc/passwd', '/%2e%2e/%2e%2e/etc/passwd', '/none', '/%ff', '/plots']) {
      assert.ok((await get(port, path)).status >= 400, path);
    }
    assert.equal((await get(port, '/', 'elsewhere.example')).status, 403);
  });

  it('report --watch follows a run until it is finished', async (t) => {
    const samples = idleRun(few);
    const folder = runFolder(t, samples.slice(0, 9));
    const info = join(folder, 'run.json');
    writeFileSync(info, JSON.stringify({ ...runInfo(), finishedAt: null }));
    const child = start('report', folder, '--watch');
    t.after(() => ended(child));
    await once(child.stderr, 'data');
    assert.ok(existsSync(join(folder, 'report.html')));
    rmSync(join(folder, 'report.html'));
    appendFileSync(
      join(folder, 'samples.ndjson'),
      samples
        .slice(9)
        .map((sample) => `${JSON.stringify(sample)}\n`)
        .join(''),
    );
    await once(child.stderr, 'data');
    assert.ok(existsSync(join(folder, 'report.html')));
    // As a run does it: a reader never sees half a file.
    writeFileSync(`${info}.part`, JSON.stringify(runInfo()));
    renameSync(`${info}.part`, info);
    const [code] = await once(child, 'exit');
    assert.equal(code, 0);
  });
});
