/** Runners that are ended from outside: nothing of their host may be left. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { freshFolder } from '../run/fake-run.js';
import { ended, printed } from '../run/processes.js';
import { bin } from '../support/command.js';
import { footprint, restored } from '../support/footprint.js';
import { idle, planIn } from './small-plans.js';

type Skip = string | false;

/** Tests of runners that are ended while they measure. */
export function endedRunnersLeaveNothing(host: string, skip: Skip): void {
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGKILL'] as const) {
    test(`${signal} of the runner leaves nothing`, { skip }, async () => {
      const before = footprint();
      const out = freshFolder();
      const long = { ...idle, closed: { warmupMs: 20, durationMs: 60_000 } };
      const plan = planIn(out, 'idle-connections', long);
      const args = ['run', 'idle-connections', '--plan', plan, '--host', host, '--out', out, '--json'];
      const runner = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'ignore'] });
      await printed(runner, 'trial-start', 1);
      assert.ok(footprint().processes > before.processes);
      const over = ended(runner);
      runner.kill(signal);
      await over;
      await restored(before);
    });
  }
}

/** A test of runners that are killed while they open their host, so long after their start. */
export function killedOpenersLeaveNothing(host: string, skip: Skip, timesMs: readonly number[]): void {
  test('SIGKILL while the host is being opened leaves nothing', { skip }, async () => {
    for (const afterMs of timesMs) {
      const before = footprint();
      const runner = spawn(process.execPath, [bin, 'selftest', '--host', host], { stdio: 'ignore' });
      await new Promise((resolve) => setTimeout(resolve, afterMs));
      const over = ended(runner);
      runner.kill('SIGKILL');
      await over;
      await restored(before);
    }
  });
}
