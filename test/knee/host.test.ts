/** The knee of a server on another host than this machine's loopback. */
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import type { Knee } from '../../src/knee/search.js';
import { ended } from '../run/processes.js';
import { bin, dispatchbench } from '../support/command.js';
import { leavingNothing, namespaces, noNamespaces, worksInTwo } from '../support/namespaces.js';

const skip = noNamespaces;
if (skip) console.log(`knee on netns skipped: ${skip}`);

const search = (...more: string[]) => [
  ...['knee', '--host', 'netns', '--backend', 'poll', '--impl', 'native', '--slo', 'loss=0', '--json'],
  ...['--low', '100', '--high', '300', '--warmup', '20ms', ...more],
];

async function text(stream: NodeJS.ReadableStream): Promise<string> {
  let all = '';
  for await (const chunk of stream) all += chunk;
  return all;
}

for (const protocol of ['http', 'udp-echo'] as const)
  test(`knee --host netns of ${protocol}: every repetition is answered across the pair`, { skip }, () =>
    leavingNothing(async () => {
      const before = namespaces();
      const args = search('--protocol', protocol, '--duration', '100ms', '--max-probes', '3');
      const child = spawn(process.execPath, [bin, ...args], { stdio: ['ignore', 'pipe', 'inherit'] });
      const printed = text(child.stdout);
      await worksInTwo(child, before);
      const { probes }: Knee = JSON.parse(await printed);
      const repetitions = probes.flatMap((probe) => probe.repetitions);
      assert.ok(repetitions.length >= 3);
      for (const { measured } of repetitions) assert.equal(measured.loss, 0);
    }),
  );

test('knee --host netns: Ctrl-C ends it with its own exit code', { skip }, () =>
  leavingNothing(async () => {
    const before = namespaces();
    const child = spawn(process.execPath, [bin, ...search('--duration', '60s')], { stdio: 'ignore' });
    const code = ended(child);
    await worksInTwo(child, before);
    // Some way into the first repetition.
    await new Promise((resolve) => setTimeout(resolve, 500));
    child.kill('SIGINT');
    assert.equal(await code, 130);
  }),
);

test('a host that does not exist is one sentence', () => {
  const { status, stderr } = dispatchbench('knee', '--host', 'nowhere', '--backend', 'poll');
  assert.equal(status, 1);
  assert.match(stderr, /^dispatchbench: unknown host 'nowhere': known are local, netns/);
});
