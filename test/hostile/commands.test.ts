/** Commands where what they need is missing or their output cannot be written: one sentence, and an exit code. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { addonPath } from '../../src/addon.js';
import { freshFolder } from '../run/fake-run.js';
import { bin, dispatchbench } from '../support/command.js';

const full = existsSync('/dev/full') ? false : 'this system has no /dev/full';
const shell = (script: string) =>
  spawnSync('sh', ['-c', `${script.replaceAll('dispatchbench', `'${process.execPath}' '${bin}'`)}`], {
    encoding: 'utf8',
    timeout: 60_000,
  });

const cases: { name: string; script: string; says: RegExp; skip?: string | false }[] = [
  {
    name: 'output onto a full device',
    script: 'dispatchbench probe --json > /dev/full',
    says: /the output could not be written: no space is left \(ENOSPC\)/,
    skip: full,
  },
  {
    name: 'too few open files to start',
    script: 'ulimit -n 20; dispatchbench run --help',
    says: /too few open files are allowed to start \(EMFILE\): raise it with 'ulimit -n 1024'/,
  },
  {
    name: 'a flame graph into a folder of the kernel',
    script: 'dispatchbench flame --backend epoll --out /proc/nowhere/else',
    says: /the folder \/proc\/nowhere\/else cannot be written to: .*; choose another with --out/,
    skip: existsSync('/proc/self') ? false : 'this system has no /proc',
  },
];
for (const { name, script, says, skip = false } of cases) {
  test(`${name}: one sentence`, { skip }, () => {
    const { status, stderr } = shell(script);
    assert.equal(status, 1, stderr);
    assert.match(stderr, says);
    assert.match(stderr, /^dispatchbench: [^\n]+\n$/);
  });
}

test('a run of which every trial fails ends with 1 and says why, also quietly', () => {
  const out = freshFolder();
  const lonely = join(out, 'dispatchbench.node');
  copyFileSync(addonPath, lonely);
  const plan = join(out, 'plan.json');
  const settings = {
    backends: ['poll'],
    impls: ['native'],
    references: [],
    idle: [0],
    connections: 1,
    rounds: 0,
  };
  writeFileSync(
    plan,
    JSON.stringify({
      blocks: { min: 1, max: 1 },
      experiments: [{ experiment: 'idle-connections', settings }],
    }),
  );
  const runs = join(out, 'runs');
  const failed = spawnSync(
    process.execPath,
    [bin, 'run', 'idle-connections', '--plan', plan, '--out', runs, '--quiet'],
    // The programs lie beside the addon, and beside this one there are none.
    { encoding: 'utf8', env: { ...process.env, CI: 'true', DISPATCHBENCH_ADDON: lonely } },
  );
  assert.equal(failed.status, 1, failed.stderr);
  assert.match(
    failed.stderr,
    /nothing was measured: 1 trial failed; the first one said: server could not be started/,
  );
});

test('a run is gone on with by the experiment that it measures', () => {
  const { status, stderr } = dispatchbench('run', 'udp-ports', '--resume', 'results/example');
  assert.equal(status, 1);
  assert.match(stderr, /run \S+ measures idle-connections.*: go on with 'run idle-connections --resume/);
});
