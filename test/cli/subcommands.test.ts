/** What the command line needs before it does anything: no addon for help and for looking at runs, and words for what is wrong. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { subcommandNames } from '../../src/cli/subcommands.js';
import { bin, dispatchbench } from '../support/command.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun } from '../support/samples.js';

const env = { ...process.env, CI: 'true', DISPATCHBENCH_ADDON: '/nowhere/dispatchbench.node' };
const withoutAddon = (...args: string[]): SpawnSyncReturns<string> =>
  spawnSync(process.execPath, [bin, ...args], { encoding: 'utf8', env });

describe('without the addon', () => {
  it('help lists every subcommand, and each of them has its own', () => {
    const { status, stdout, stderr } = withoutAddon('--help');
    assert.equal(status, 0, stderr);
    for (const name of subcommandNames) assert.match(stdout, new RegExp(`^  ${name} `, 'm'));
    assert.match(withoutAddon('help', 'compare').stdout, /^Usage: dispatchbench compare \[options\] <a> <b>/);
  });

  it('runs are reported, judged, compared, listed and shown', async (t) => {
    const folder = runFolder(t, idleRun({ trials: 3, impls: ['native'] }));
    for (const args of [
      ['report', folder],
      ['claims', folder],
      ['compare', folder, folder],
      ['history', '--out', dirname(folder)],
    ]) {
      const { status, stderr } = withoutAddon(...args);
      assert.equal(status, 0, `${args[0]}: ${stderr}`);
    }
    const server = spawn(process.execPath, [bin, 'open', folder], {
      env,
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    t.after(() => server.kill());
    const [line] = (await once(createInterface(server.stdout), 'line')) as [string];
    assert.match(line, /http:\/\/127\.0\.0\.1:\d+\//);
  });

  it('a measurement ends in one sentence that says what to do', () => {
    const { status, stderr } = withoutAddon('probe');
    assert.equal(status, 1);
    assert.match(stderr, /^dispatchbench: the native addon for .* is not here .*'npm run setup'.*\n$/);
  });
});

it('mistakes are named by the program, in subcommands too, with what may have been meant', () => {
  assert.match(
    dispatchbench('lod').stderr,
    /^dispatchbench: unknown command 'lod'\n\(Did you mean load\?\)\n\(try --help\)\n$/,
  );
  assert.match(
    dispatchbench('claims', '--jsn').stderr,
    /^dispatchbench: unknown option '--jsn'\n\(Did you mean --json\?\)/,
  );
  assert.match(dispatchbench('run', 'quick', '--nope').stderr, /^dispatchbench: unknown option '--nope'/);
});
