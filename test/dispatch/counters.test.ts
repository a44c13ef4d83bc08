/** The counters against the system calls that strace saw, and what those calls were asked. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import type { Counters } from '../../src/contract/server.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { beginMark, endMark, HIGH, IDLE, LOW, TIMEOUT_US } from './traced.js';

const hasStrace = spawnSync('strace', ['-V']).error === undefined;
const traced = ['pselect6', 'ppoll', 'epoll_pwait2', 'epoll_pwait', 'epoll_ctl', 'io_uring_enter'];

/** Runs the scenario under strace: its counters, and the calls of its thread between the marks. */
function run(backend: string): { counters: Counters; calls: string[] } {
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-'));
  try {
    const trace = join(folder, 'trace');
    const child = fileURLToPath(new URL('./traced-child.js', import.meta.url));
    const set = ['access', 'faccessat', 'faccessat2', ...traced].map((call) => `?${call}`).join(',');
    const args = [
      '-f',
      '-qq',
      '-a',
      '0',
      '-o',
      trace,
      '-e',
      `trace=${set}`,
      process.execPath,
      child,
      backend,
    ];
    const { status, stdout, stderr } = spawnSync('strace', args, { encoding: 'utf8' });
    assert.equal(status, 0, stderr);
    const lines = readFileSync(trace, 'utf8').split('\n');
    const begin = lines.findIndex((line) => line.includes(beginMark));
    const end = lines.findIndex((line) => line.includes(endMark));
    assert.ok(begin >= 0 && end > begin);
    const thread = `${Number.parseInt(lines[begin] as string, 10)} `;
    const calls = lines
      .slice(begin + 1, end)
      .filter((line) => line.startsWith(thread) && !line.includes('resumed>'))
      .map((line) => line.replace(/^\d+ +/, ''));
    return { counters: JSON.parse(stdout) as Counters, calls };
  } finally {
    rmSync(folder, { recursive: true });
  }
}

for (const { name, available, capabilities, reason } of listBackends()) {
  const skip = !available ? reason : hasStrace ? false : 'strace is not installed';
  test(`${name}: counters equal strace's`, { skip }, () => {
    const { counters, calls } = run(name);
    assert.ok(capabilities);
    const batched = name.startsWith('epoll-batched');
    const epoll = name.startsWith('epoll') && !batched;
    const uring = name.startsWith('uring');
    const handsOver = batched ? /^(epoll_ctl|io_uring_enter)\(/ : /^epoll_ctl\(/;
    const changes = calls.filter((call) => handsOver.test(call));
    const waits = calls.filter((call) => call.startsWith(`${capabilities.waitCall}(`));
    assert.equal(waits.length + changes.length, calls.length, calls.join('\n'));
    assert.equal(counters.waits + counters.changeCalls, calls.length);
    if (!uring) assert.equal(counters.waits, waits.length);

    const rearms = capabilities.needsRearm ? 5 : 0;
    // A multishot request that is cancelled says so, which ends a wait that has to go on.
    assert.equal(counters.waits, name === 'uring-poll' ? 10 : 9);
    assert.equal(counters.rearms, rearms);
    assert.equal(counters.changes, 2 * (1 + IDLE) + 3);
    // Of io_uring those that let go of a file are calls of their own. Before the first wait, that for both directions and that
    // for none, and before each that follows a re-arm, a batch goes over in one.
    const batches = 3 + Math.max(0, rearms - 1);
    assert.equal(
      counters.changeCalls,
      epoll ? counters.changes + rearms : batched ? IDLE + batches : uring ? IDLE : 0,
    );
    const submitted = calls.map((call) => Number(/^io_uring_enter\(.* = (\d+)$/.exec(call)?.[1] ?? 0));
    assert.equal(
      counters.submissions,
      submitted.reduce((sum, one) => sum + one),
    );
    assert.equal(counters.submissions > 0, uring || batched);
    // What was asked of a registration since the last wait is one entry; one asked for and let go of meanwhile is none.
    if (batched) assert.equal(counters.submissions, 1 + IDLE + 2 + Math.max(0, rearms - 1));

    const last = waits.at(-1) as string;
    // strace does not look into the argument of io_uring_enter.
    if (capabilities.timeoutResolutionNs === 1 && !uring) {
      assert.ok(last.includes(`{tv_sec=0, tv_nsec=${TIMEOUT_US * 1000}}`), last);
    }
    if (capabilities.waitComplexity === 'highest_descriptor') {
      const limits = waits.map((call) => Number(/\((\d+),/.exec(call)?.[1]));
      assert.deepEqual(limits, [HIGH + IDLE, ...Array(7).fill(LOW + 1), 0]);
    }
  });
}
