/** One table of backends: what legends, palettes and claims take from it. */
import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  backendNames,
  engineNames,
  implementationInWords,
  mechanismNames,
  mechanismOrder,
  scalable,
  scanning,
  serverNames,
  styleOf,
} from '../../src/contract/names.js';

test('legends list every mechanism once, those that scan before those that scale', () => {
  assert.deepEqual([...mechanismOrder].sort(), [...mechanismNames].sort());
  const places = (names: readonly string[]) => names.map((name) => mechanismOrder.indexOf(name));
  assert.ok(Math.max(...places(scanning)) < Math.min(...places(scalable)));
});

const batched = ['epoll-batched', 'epoll-batched-oneshot'];

test('nothing is known in advance of /dev/poll, and of what io_uring waits or changes', () => {
  const known: readonly string[] = [...scanning, ...scalable];
  assert.deepEqual(
    backendNames.filter((name) => !known.includes(name)),
    [...batched, 'devpoll', 'uring-poll', 'uring-poll-level', 'uring-poll-oneshot'],
  );
});

test('mechanisms of one system look different; what is none looks like none of them', () => {
  const uring = ['uring-poll', 'uring-poll-level', 'uring-poll-oneshot'];
  const systems = [
    [
      ...['select', 'select-posix', 'poll', 'epoll', 'epoll-et', 'epoll-oneshot'],
      ...[...batched, ...uring, ...engineNames],
    ],
    ['select', 'select-posix', 'poll', 'kqueue', 'kqueue-clear'],
    ['select', 'select-posix', 'poll', 'evport', 'devpoll'],
    ['select', 'wsapoll'],
  ];
  assert.deepEqual([...new Set(systems.flat())].sort(), [...mechanismNames].sort());
  for (const backends of systems)
    assert.equal(new Set([...backends, undefined].map(styleOf)).size, backends.length + 1, `${backends}`);
});

test('every implementation has words, and what is none of ours its own name', () => {
  for (const name of serverNames) assert.notEqual(implementationInWords(name), name);
  assert.equal(implementationInWords('nginx'), 'nginx');
});
