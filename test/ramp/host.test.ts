/** `ramp` with a server of ours, on this machine and across a pair of namespaces. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import type { RampStep } from '../../src/ramp/ramp.js';
import { ended } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { leavingNothing, namespaces, noNamespaces, worksInTwo } from '../support/namespaces.js';

const ramp = (host: string, connections: number) => [
  ...['ramp', '--host', host, '--backend', 'poll', '--json', '--config', '/dev/null'],
  ...['--low_rate', '100', '--high_rate', '200', '--rate_step', '100'],
  ...['--num_conn', `${connections}`, '--num_call', '2'],
];

for (const [host, skip] of [
  ['local', false],
  ['netns', noNamespaces],
] as const)
  test(`ramp --host ${host}: server and client in their places, every call answered`, { skip }, () =>
    leavingNothing(async () => {
      const { status, stdout, stderr } = dispatchbench(...ramp(host, 20));
      assert.equal(status, 0, stderr);
      const steps: RampStep[] = stdout
        .trim()
        .split('\n')
        .map((line) => JSON.parse(line));
      assert.deepEqual(
        steps.map(({ rate, hosts }) => [rate, hosts.map(({ result }) => result.replies)]),
        [
          [100, [40]],
          [200, [40]],
        ],
      );
      assert.match(stderr, host === 'netns' ? /^198\.18\.0\.1 at 100\/s/m : /^127\.0\.0\.1 at 100\/s/m);
    }),
  );

for (const [signal, code] of [
  ['SIGINT', 130],
  ['SIGTERM', 143],
  ['SIGKILL', null],
] as const)
  test(`ramp --host netns: ${signal} leaves nothing`, { skip: noNamespaces }, () =>
    leavingNothing(async () => {
      const before = namespaces();
      const child = spawn(process.execPath, [bin, ...ramp('netns', 6000)], { stdio: 'ignore' });
      const exit = ended(child);
      await worksInTwo(child, before);
      child.kill(signal);
      assert.equal(await exit, code);
    }),
  );

for (const [what, more, message] of [
  ['load machines', ['--host1', 'x', '--clients', 'local'], /--clients name the load machines/],
  ['a real httperf', ['--backend', 'poll', '--client', 'httperf'], /--client httperf runs on this machine/],
] as const)
  test(`ramp --host netns with ${what} is one sentence`, { skip: noNamespaces }, () => {
    const { status, stderr } = dispatchbench('ramp', '--host', 'netns', '--config', '/dev/null', ...more);
    assert.equal(status, 1);
    assert.match(stderr, message);
  });
