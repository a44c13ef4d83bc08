/** Which mechanism a system was given for many descriptors is known in one place, for every system. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { native } from '../../src/dispatch/native.js';
import { clientBackend, listBackends, nodeBackend } from '../../src/dispatch/registry.js';

test('the own mechanism of every system', () => {
  const own = {
    Linux: 'epoll',
    FreeBSD: 'kqueue',
    NetBSD: 'kqueue',
    OpenBSD: 'kqueue',
    DragonFly: 'kqueue',
    Darwin: 'kqueue',
    SunOS: 'evport',
    Haiku: 'poll',
  };
  for (const [system, backend] of Object.entries(own)) assert.equal(native.ownBackend(system), backend);
  assert.throws(() => native.ownBackend(7 as never), { code: 'ERR_INVALID_ARG_TYPE' });
});

test('clients wait on a mechanism that is there', () => {
  const probe = listBackends().find(({ name }) => name === clientBackend);
  assert.equal(probe?.available, true);
  const own = listBackends().find(({ name }) => name === nodeBackend);
  assert.equal(clientBackend, own?.available ? nodeBackend : 'poll');
});
