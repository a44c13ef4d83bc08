/** `dispatchbench probe`: every name is there, available or with a reason, and the tables fit a terminal. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { stripVTControlCharacters } from 'node:util';
import { z } from 'zod';
import { packageRoot, programPath } from '../../src/addon.js';
import { backendNames } from '../../src/contract/common.js';
import { backendProbe } from '../../src/contract/probe.js';
import { withoutUring } from '../uring/testing.js';

function probe(...args: string[]): string {
  const bin = resolve(packageRoot, 'bin/dispatchbench.js');
  const { status, stdout, stderr } = spawnSync(process.execPath, [bin, 'probe', ...args], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stderr);
  return stripVTControlCharacters(stdout);
}

test('--json lists every backend name, absent ones with errno and reason', () => {
  const probes = z.array(backendProbe).parse(JSON.parse(probe('--json')));
  assert.deepEqual(
    probes.map(({ name }) => name),
    backendNames,
  );
  for (const { available, errno, reason, capabilities } of probes) {
    assert.equal(capabilities !== null, available);
    assert.equal(errno !== null, !available);
    assert.equal(reason !== '', !available);
  }
});

test('the tables name every backend and fit 100 columns', () => {
  const text = probe();
  for (const name of backendNames) assert.match(text, new RegExp(`^│ ${name} `, 'm'));
  for (const line of text.split('\n')) assert.ok(line.length <= 100, line);
});

test('on Linux, select stops nowhere and select-posix at FD_SETSIZE', {
  skip: process.platform === 'linux' ? false : 'not Linux',
}, () => {
  const probes = z.array(backendProbe).parse(JSON.parse(probe('--json')));
  const limit = (name: string) => probes.find((p) => p.name === name)?.capabilities?.maxDescriptor;
  assert.equal(limit('select'), -1);
  assert.equal(limit('select-posix'), 1023);
});

test('where rings are refused, probe says by whom, and a server does not serve by something else', {
  skip: withoutUring,
}, () => {
  const denied = fileURLToPath(new URL('../uring/denied.js', import.meta.url));
  for (const errno of ['EPERM', 'ENOSYS'] as const) {
    const behindFilter = (...command: string[]) =>
      spawnSync(process.execPath, [denied, `${constants.errno[errno]}`, ...command], {
        encoding: 'utf8',
        timeout: 60_000,
      });
    const bin = resolve(packageRoot, 'bin/dispatchbench.js');
    const told = behindFilter(process.execPath, bin, 'probe', '--json');
    const probes = z.array(backendProbe).parse(JSON.parse(told.stdout));
    const rings = probes.filter(({ name }) => /^uring-|^epoll-batched/.test(name));
    assert.equal(rings.length, 5);
    for (const ring of rings) {
      assert.equal(ring.errno, errno);
      assert.match(ring.reason, /seccomp/);
    }
    assert.ok(probes.find(({ name }) => name === 'epoll')?.available);
    const server = programPath('dispatchbench-server');
    const { status, stdout, stderr } = behindFilter(server, '--protocol', 'http', '--backend', 'uring-poll');
    assert.notEqual(status, 0);
    assert.equal(stdout, '');
    assert.match(stderr, /uring-poll.*seccomp/);
  }
});
