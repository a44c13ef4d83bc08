/** The cost program's figures against arithmetic and strace; no time is asserted. */
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { type Cost, cost } from '../../src/contract/cost.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { commandOf } from '../../src/hosts/program.js';
import { getAffinity } from '../../src/process.js';
import { type CostSpec, costProgram } from '../../src/programs/cost.js';

const costCommand = (spec: CostSpec) => commandOf(costProgram(spec));

type Kind = Pick<CostSpec, 'impl' | 'backend'>;

const available = listBackends().filter((probe) => probe.available);
const kinds: readonly Kind[] = [
  ...available.map(({ name }) => ({ impl: 'native', backend: name }) as const),
  ...available
    .filter(({ name }) => ['select', 'poll', 'epoll', 'kqueue'].includes(name))
    .map(({ name }) => ({ impl: 'baseline', backend: name }) as const),
];
const nameOf = ({ impl, backend }: Kind) => `${impl} on ${backend}`;

function run(command: string, args: readonly string[]) {
  const { status, stdout, stderr } = spawnSync(command, args, { encoding: 'utf8' });
  return { status, lines: stdout.split('\n').filter((line) => line !== ''), stderr };
}

function measure(spec: CostSpec): Cost {
  const { command, args } = costCommand(spec);
  const { status, lines, stderr } = run(command, args);
  assert.equal(status, 0, stderr);
  assert.equal(lines.length, 1);
  return cost.parse(JSON.parse(lines[0]!));
}

/** What the counters must say, given that every byte was one event. */
function assertArithmetic(line: Cost, events: number): void {
  assert.equal(line.events, events);
  const { min, p50, p90, p99, max, mean } = line.roundNs;
  assert.ok(min > 0 && min <= p50 && p50 <= p90 && p90 <= p99 && p99 <= max, JSON.stringify(line.roundNs));
  assert.ok(mean >= min && mean <= max);
  assert.ok(Math.abs(line.nsPerEvent * events - mean * line.rounds) < 1e-3 * mean * line.rounds);
  assert.ok(line.wallNs >= (mean - 1) * line.rounds || line.mode === 'wakeup-threads');
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
  assert.equal(line.changeCalls, line.backend.startsWith('epoll') ? counters.rearms : 0);
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

  test(`wakeup-threads: one event a round, and the waiter slept: ${nameOf(kind)}`, () => {
    const allowed = getAffinity();
    const line = measure({
      ...kind,
      mode: 'wakeup-threads',
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

const hasStrace = spawnSync('strace', ['-V']).error === undefined;

for (const kind of kinds) {
  const skip = hasStrace ? false : 'strace is not installed';
  test(`system calls of a drain: ${nameOf(kind)}`, { skip }, () => {
    const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
    try {
      const [active, writes, rounds] = [5, 20, 40];
      const { command, args } = costCommand({
        ...kind,
        mode: 'drain',
        pairs: 30,
        active,
        writes,
        length: { rounds, warmupRounds: 0 },
      });
      const trace = join(folder, 'trace');
      const names =
        'select,pselect6,poll,ppoll,epoll_wait,epoll_pwait,epoll_pwait2,epoll_ctl,io_uring_enter,sendto,recvfrom';
      const set = names
        .split(',')
        .map((name) => `?${name}`)
        .join(',');
      const { status, lines, stderr } = run('strace', ['-o', trace, '-e', `trace=${set}`, command, ...args]);
      assert.equal(status, 0, stderr);
      const line = cost.parse(JSON.parse(lines[0]!));
      // Entering a ring after the last byte lets go of the pairs.
      const all = readFileSync(trace, 'utf8').split('\n');
      const last = all.findLastIndex((text) => text.startsWith('recvfrom('));
      const traced = all.filter((text, at) => at < last || !text.startsWith('io_uring_enter('));
      const calls = (pattern: RegExp) => traced.filter((text) => pattern.test(text)).length;
      assert.equal(calls(/^sendto\(.* = 1$/), rounds * (active + writes));
      assert.equal(calls(/^recvfrom\(.* = 1$/), rounds * (active + writes));
      assert.equal(calls(/^(sendto|recvfrom)\(/), 2 * rounds * (active + writes));
      // Not waits for a pair: whether epoll_pwait2 exists is asked of no set, and now and then whether to stop.
      const waits = calls(
        /^(p?select6?|p?poll|epoll_p?wait2?|io_uring_enter)\((?!-1|\[\{fd=\d+, events=POLLIN\}\], 1, 0)/,
      );
      assert.equal(waits, line.waits, traced.slice(-10).join('\n'));
      assert.equal(calls(/^epoll_ctl\(.*EPOLL_CTL_MOD.* = 0$/), line.changeCalls);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}

const refused: [args: string[], says: RegExp][] = [
  [['--backend', 'epol'], /unknown backend 'epol': this system has .*poll/],
  [[], /--backend is missing/],
  [['--backend', 'poll', '--mode', 'drian'], /--mode must be drain, wakeup or wakeup-threads, not 'drian'/],
  [['--backend', 'epoll-et', '--impl', 'baseline'], /there is a baseline for select, poll and \w+, not for/],
  [['--backend', 'poll', '--active', '101'], /--active 101 is more than the --pairs 100/],
  [['--backend', 'poll', '--mode', 'wakeup', '--writes', '1'], /belong to --mode drain/],
  [['--backend', 'poll', '--rounds', '0'], /--rounds must be a number from 1 to/],
  [['--backend', 'poll', '--rounds', '5', '--duration', '5'], /either --rounds .* or --duration/],
  [['--backend', 'poll', '--warmup', '5'], /--warmup needs a --duration/],
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

for (const mode of ['drain', 'wakeup', 'wakeup-threads'] as const) {
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
