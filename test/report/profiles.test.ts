import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { readFlame } from '../../src/flame/output.js';
import { decodeGraph, encodeGraph } from '../../src/flame/payload.js';
import { threshold } from '../../src/report/profiles.js';
import { profilesFolder, writeReport } from '../../src/report/write.js';
import { deepStacks, writeProfile } from '../support/flame.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun, runInfo } from '../support/samples.js';

const few = { trials: 3, impls: ['native'] };

describe('flame graphs in the report', () => {
  it('are those of the folders under flame/, with what the profiler cost', (t) => {
    const folder = runFolder(t, idleRun(few));
    assert.ok(!readFileSync(writeReport(folder).report, 'utf8').includes('id="profiles"'));
    writeProfile(join(profilesFolder(folder), 'select-against-epoll'));
    const page = readFileSync(writeReport(folder).report, 'utf8');
    assert.ok(page.includes('id="profiles"'));
    assert.equal(
      page.match(/<figure class="flame">\n<div/g)!.length,
      4,
      'both, their difference and its mirror',
    );
    assert.match(/Profiler's overhead: [^.]*/.exec(page)![0], /throughput −?-?\d/);
    assert.ok(!page.includes('frames narrower than'), 'a small profile is shown as a whole');
  });

  it('are derived: deleted and made again to the byte', (t) => {
    const folder = runFolder(t, idleRun(few));
    const profile = join(profilesFolder(folder), 'a');
    writeProfile(profile);
    const first = readFileSync(writeReport(folder).report, 'utf8');
    for (const name of readdirSync(profile)) {
      if (!/^flame\.json$|^(flame|base)\.folded$/.test(name)) rmSync(join(profile, name));
    }
    assert.equal(readFileSync(writeReport(folder).report, 'utf8'), first);
    assert.ok(existsSync(join(profile, 'flame.html')));
  });

  it('leave out narrow frames when they would make the page too large, and say how many', (t) => {
    const folder = runFolder(t, idleRun(few));
    for (const name of ['a', 'b']) writeProfile(join(profilesFolder(folder), name), deepStacks(30_000));
    const page = readFileSync(writeReport(folder).report, 'utf8');
    const said = /frames narrower than .* left out here: [^.]*\./.exec(page)?.[0];
    assert.match(`${said}`, /narrower than [\d.]+ % of their graph are left out here: \d.* of \d.*\.$/);
    assert.ok(page.length < 3e6, `${page.length} bytes`);
    const recorded = readFlame(join(profilesFolder(folder), 'a'));
    const least = threshold([{ name: 'a', ...recorded }], 50_000)!;
    assert.ok(least > 0);
    const { graph } = recorded.figures[0]!;
    const shown = decodeGraph(encodeGraph(graph, least));
    assert.deepEqual(
      shown.nodes.map(({ name, value }) => [name, value]),
      graph.nodes.filter(({ value }) => value >= least * graph.total).map(({ name, value }) => [name, value]),
    );
    assert.equal(threshold([{ name: 'a', ...recorded }], 10), null);
  });

  it('name a profile that cannot be read', (t) => {
    const folder = runFolder(t, idleRun(few));
    const profile = join(profilesFolder(folder), 'a');
    mkdirSync(profile, { recursive: true });
    writeFileSync(join(profile, 'flame.json'), '{');
    assert.throws(() => writeReport(folder), /flame\.json cannot be read as JSON/);
  });

  it('are refused for a run of another machine', (t) => {
    const info = runInfo();
    // Of the same name as this machine, and another one all the same.
    info.hosts = { local: info.hosts.synthetic! };
    const folder = runFolder(t, idleRun(few), { info });
    const { status, stderr } = spawnSync(
      process.execPath,
      ['bin/dispatchbench.js', 'flame', '--backend', 'poll', '--run', folder],
      { encoding: 'utf8' },
    );
    assert.notEqual(status, 0);
    assert.match(
      stderr,
      /a profile taken now does not belong to run synthetic: its \w+ was .*leave out --run\n$/,
    );
    assert.ok(!existsSync(profilesFolder(folder)));
  });
});
