/** The profile of a mode is of its measured rounds, and of nothing else. */
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { profileCost, withinRounds } from '../../src/flame/cost.js';
import { readFlame } from '../../src/flame/output.js';
import { probePerf } from '../../src/flame/perf.js';
import { parseFolded } from '../../src/flame/stacks.js';
import { openLocal } from '../../src/hosts/local.js';

const support = probePerf();
const skip = typeof support === 'string' ? support : support.kernelFrames ? false : 'no kernel frames here';
const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
after(() => rmSync(folder, { recursive: true }));

test('stacks begin at the rounds, and what lies outside is counted', () => {
  const round = 'int cost::measured_round<cost::Drain<cost::PollerWaiter> >_[d]';
  const { stacks, outside } = withinRounds(
    parseFolded(`cost;main_[d];${round};dispatch::Poller::wait_[d] 3
cost;main_[d];cost::Pairs::open_[d] 5
cost;[callers lost]_[l];do_poll_[k] 2
cost;_start_[l];main_[d];${round};dispatch::Poller::wait_[d] 4
`),
  );
  assert.equal(outside, 7);
  assert.deepEqual(
    stacks.map(({ frames, weight }) => [frames.map(({ name }) => name), weight]),
    [[['cost', round.slice(0, -4), 'dispatch::Poller::wait'], 7]],
  );
});

test('a profile of a mode has its rounds alone, and says what was measured', { skip }, async () => {
  const roles = await openLocal();
  try {
    const into = join(folder, 'drain');
    const record = await profileCost({
      spec: {
        ...({ mode: 'drain', impl: 'native', backend: 'poll', pairs: 2000, active: 1 } as const),
        length: { durationMs: 300 },
      },
      ...{ title: 'drain on poll', folder: into, host: roles.server.facts, frequencyHz: 999, pairs: 1 },
    });
    const [profile] = record.profiles;
    assert.deepEqual(
      [profile!.server, profile!.cost?.mode, profile!.cost?.backend, profile!.cost?.pairs],
      [null, 'drain', 'poll', 2000],
    );
    assert.equal(profile!.families[0]!.name, 'poll scan');
    assert.ok(profile!.requests.profiled > 0 && profile!.requests.unprofiled > 0);
    const { stacks } = readFlame(into);
    for (const { frames } of stacks[0]!) assert.match(frames[1]!.name, /cost::measured_round</);
    const page = readFileSync(join(into, record.page), 'utf8');
    assert.match(page, /drain on poll/);
    assert.match(page, /µs per event without the profiler/);
    assert.ok(existsSync(join(into, profile!.files.svg)));
  } finally {
    await roles.close();
  }
});
