/** The cost program's figures against arithmetic and strace; no time is asserted. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test } from 'node:test';
import type { Cost } from '../../src/contract/cost.js';
import { getAffinity } from '../../src/process.js';
import {
  available,
  costCommand,
  type Kind,
  kinds,
  measure,
  nameOf,
  run,
  traced,
  withoutStrace,
} from './programs.js';

/** Changes go over together, in a call of io_uring's. */
const batched = ({ backend }: Pick<Kind, 'backend'>) => /^(uring|epoll-batched)/.test(backend);

/** What the counters must say, given that every byte was one event. */
function assertArithmetic(line: Cost, events: number): void {
  assert.equal(line.events, events);
  const { min, p50, p90, p99, max, mean } = line.roundNs;
  assert.ok(min > 0 && min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max, JSON.stringify(line.roundNs));
  assert.ok(mean >= min && mean <= max);
  assert.ok(Math.abs(line.nsPerEvent * events - mean * line.rounds) < 1e-3 * mean * line.rounds);
  assert.ok(line.wallNs >= (mean - 1) * line.rounds || line.writer !== null);
  if (line.impl === 'baseline') {
    assert.equal(line.counters, null);
    assert.equal(line.capabilities, null);
    assert.equal(line.changeCalls, 0);
    return;
  }
  const { counters, capabilities } = line;
  assert.ok(counters && capabilities);
  assert.equal(counters.events, events);
  // Rows that a short result array had no room for are reported again.
  assert.ok(counters.rawEvents >= events && (counters.rawEvents === events || counters.saturatedWaits > 0));
  assert.equal(counters.stale + counters.spurious, 0);
  assert.equal(counters.changes, 0);
  assert.equal(counters.rearms, capabilities.needsRearm ? events : 0);
  if (capabilities.batchedChanges) assert.ok(line.changeCalls <= line.waits, `${line.changeCalls} changes`);
  else assert.equal(line.changeCalls, line.backend.startsWith('epoll') ? counters.rearms : 0);
  assert.equal(line.waits, counters.waits);
}

for (const kind of kinds) {
  test(`drain: every byte is one event: ${nameOf(kind)}`, () => {
    const [pairs, active, writes, rounds] = [100, 20, 70, 30];
    const line = measure({
      ...kind,
      mode: 'drain',
      pairs,
      active,
      writes,
      length: { rounds, warmupRounds: 3 },
    });
    assert.equal(line.rounds, rounds);
    assert.equal(line.warmupRounds, 3);
    assertArithmetic(line, rounds * (active + writes));
    // 20 events a wait, each forwarding one: 20 + 20 + 20 + 20, and 10 are left; a scan upwards may meet some early.
    assert.ok(line.waits > 0 && line.waits <= rounds * 5, `${line.waits} waits`);
    assert.equal(line.writer, null);
  });

  test(`drain with all pairs active: ${nameOf(kind)}`, () => {
    const [pairs, rounds] = [64, 20];
    const line = measure({
      ...kind,
      mode: 'drain',
      pairs,
      active: pairs,
      writes: 100,
      length: { rounds, warmupRounds: 0 },
    });
    assertArithmetic(line, rounds * (pairs + 100));
  });

  test(`wakeup: one wait and one event a round: ${nameOf(kind)}`, () => {
    const line = measure({ ...kind, mode: 'wakeup', pairs: 50, length: { rounds: 200, warmupRounds: 10 } });
    assertArithmetic(line, 200);
    assert.equal(line.waits, 200);
    assert.equal(line.contextSwitches.voluntary, 0);
  });
}

/** Another thread or process writes: waking that up is the scheduler's part, so a mechanism of each kind will do. */
const woken = kinds.filter(({ backend }) => ['select', 'poll', 'epoll', 'epoll-oneshot'].includes(backend));
for (const [kind, mode] of woken.flatMap((kind) => [
  [kind, 'wakeup-threads'] as const,
  [kind, 'wakeup-processes'] as const,
])) {
  test(`${mode}: one event a round, and the waiter slept: ${nameOf(kind)}`, () => {
    const allowed = getAffinity();
    const line = measure({
      ...kind,
      mode,
      pairs: 50,
      cpus: allowed.slice(0, 2),
      length: { rounds: 200, warmupRounds: 10 },
    });
    assertArithmetic(line, 200);
    assert.equal(line.waits, 200);
    assert.ok(line.writer);
    if (allowed.length >= 2) {
      assert.deepEqual(line.cpuAffinity, [allowed[0]]);
      assert.deepEqual(line.writer.cpuAffinity, [allowed[1]]);
      assert.equal(line.writer.gap, 'spin');
    }
    const { sleptRounds } = line.writer;
    // Now and then the waiter is held up for longer than the gap before it gets to sleep.
    if (sleptRounds !== null) assert.ok(sleptRounds > 100 && sleptRounds <= 200, `${sleptRounds} slept`);
  });
}

const native: Kind = { impl: 'native', backend: 'poll' };

test('a short result array takes more waits, and loses nothing', () => {
  for (const { name } of available) {
    const line = measure({
      impl: 'native',
      backend: name,
      mode: 'drain',
      pairs: 40,
      active: 40,
      maxEvents: 8,
      length: { rounds: 10, warmupRounds: 0 },
    });
    assertArithmetic(line, 400);
    assert.ok(line.counters);
    const { saturatedWaits } = line.counters;
    if (name.startsWith('uring')) {
      // What is left in the ring is taken without a call, and the kernel looks at some of what is ready at a time.
      assert.ok(
        line.waits > 10 && saturatedWaits > 10,
        `${name}: ${line.waits}, ${saturatedWaits} saturated`,
      );
    } else {
      assert.deepEqual([line.waits, saturatedWaits], [50, 50], name);
    }
  }
});

test('rounds for a time', () => {
  const line = measure({ ...native, mode: 'wakeup', length: { durationMs: 60, warmupMs: 20 } });
  assert.ok(line.rounds > 0 && line.warmupRounds > 0);
  assertArithmetic(line, line.rounds);
});

test('the same seed draws the same pairs, whatever dispatches them', () => {
  // With the writes of a round spread by its draw, bare select meets another number of them in one scan.
  const waits = (seed: number) =>
    measure({
      impl: 'baseline',
      backend: 'select',
      mode: 'drain',
      pairs: 50,
      active: 9,
      writes: 50,
      seed,
      length: { rounds: 50 },
    }).waits;
  assert.equal(waits(7), waits(7));
});

for (const kind of kinds) {
  test(`system calls of a drain: ${nameOf(kind)}`, { skip: withoutStrace }, () => {
    const [active, writes, rounds] = [5, 20, 40];
    const { line, calls, waits } = traced({
      ...kind,
      mode: 'drain',
      pairs: 30,
      active,
      writes,
      length: { rounds, warmupRounds: 0 },
    });
    assert.equal(calls(/^sendto\(.* = 1$/), rounds * (active + writes));
    assert.equal(calls(/^recvfrom\(.* = 1$/), rounds * (active + writes));
    assert.equal(calls(/^(sendto|recvfrom)\(/), 2 * rounds * (active + writes));
    assert.equal(waits, line.waits);
    const changes = batched(kind) ? /^io_uring_enter\(.* = [1-9]/ : /^epoll_ctl\(.*EPOLL_CTL_MOD.* = 0$/;
    if (!kind.backend.startsWith('uring')) assert.equal(calls(changes), line.changeCalls);
  });
}

// Where changes ride the next wait there are no calls of their own.
for (const kind of kinds.filter((one) => !batched(one))) {
  test(`system calls of changing interest: ${nameOf(kind)}`, { skip: withoutStrace }, () => {
    const [active, rounds] = [5, 20];
    const { line, calls, waits } = traced({
      ...kind,
      mode: 'toggle-write',
      pairs: 10,
      active,
      length: { rounds, warmupRounds: 0 },
    });
    assert.equal(waits, line.waits);
    const changed = calls(/^epoll_ctl\(.*EPOLL_CTL_MOD.* = 0$/);
    assert.equal(changed, line.changeCalls);
    assert.equal(changed, kind.backend.startsWith('epoll') ? 2 * active * rounds : 0);
  });
}

const refused: [args: string[], says: RegExp][] = [
  [['--backend', 'epol'], /unknown backend 'epol': this system has .*poll/],
  [[], /--backend is missing/],
  [['--backend', 'poll', '--mode', 'drian'], /--mode must be drain, wakeup, .* or unread, not 'drian'/],
  [['--backend', 'epoll-et', '--impl', 'baseline'], /there is a baseline for select, poll and \w+, not for/],
  [['--backend', 'poll', '--active', '101'], /--active 101 is more than the --pairs 100/],
  [
    ['--backend', 'poll', '--mode', 'wakeup', '--writes', '1'],
    /--writes is nothing to --mode wakeup: .* drain/,
  ],
  [['--backend', 'poll', '--mode', 'wakeup', '--active', '2'], /--active is nothing to --mode wakeup/],
  [['--backend', 'poll', '--mode', 'drain', '--budget', '2'], /--budget is nothing to --mode drain/],
  [['--backend', 'poll', '--impl', 'libevent'], /--impl must be native or baseline/],
  [['--backend', 'poll', '--stride', '100000'], /RLIMIT_NOFILE/],
  [['--backend', 'poll', '--rounds', '0'], /--rounds must be a number from 1 to/],
  [['--backend', 'poll', '--rounds', '5', '--duration', '5'], /either --rounds .* or --duration/],
  [['--backend', 'poll', '--warmup', '5'], /--warmup needs a --duration/],
  [['--backend', 'poll', '--hold'], /--hold waits for a line on the control channel/],
  [['--backend', 'poll', '--pairs', '1000000'], /RLIMIT_NOFILE.*raise the hard limit/],
  [['--backend', 'select-posix', '--pairs', '600'], /FD_SETSIZE.*at most 5\d\d --pairs/],
  [['--backend', 'poll', '--cpu', '999'], /--cpu cannot be met/],
  [['--backend', 'poll', '--cpu', 'x'], /--cpu must be a list/],
  [['--backend', 'poll', '--no-such'], /unknown option --no-such/],
  [['--backend'], /option --backend lacks its value/],
];

test('what cannot be met is refused in one sentence', () => {
  const { command } = costCommand({ ...native, mode: 'drain' });
  for (const [args, says] of refused) {
    const { status, lines, stderr } = run(command, args);
    assert.equal(status, 1, args.join(' '));
    assert.deepEqual(lines, []);
    assert.match(stderr, says);
    assert.equal(stderr.trim().split('\n').length, 1, stderr);
  }
});

for (const mode of ['drain', 'wakeup', 'wakeup-threads', 'wakeup-processes'] as const) {
  test(`it ends with its control channel: ${mode}`, async () => {
    const { command, args } = costCommand({
      ...native,
      mode,
      control: true,
      length: { durationMs: 3_600_000 },
    });
    const child = spawn(command, args);
    let output = '';
    child.stdout.on('data', (chunk) => {
      output += chunk;
    });
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const closed = once(child, 'close');
    await new Promise((resolve) => setTimeout(resolve, 100));
    assert.equal(child.exitCode, null, stderr);
    child.stdin.end();
    const [code] = await closed;
    assert.equal(code, 1);
    assert.equal(output, '');
    assert.match(stderr, /ended by end-of-control before the measurement was complete/);
  });
}
