/** The native rooms know only whom the table of docs/architecture.md lets them know, and share what must be one. */
import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { circleOf, nativeRooms } from './rooms.js';

const native = join(packageRoot, 'native');

const table = new Map(nativeRooms.map(({ name, mayUse }) => [name, mayUse!]));

interface Source {
  room: string;
  path: string;
  text: string;
}

const sources: Source[] = readdirSync(native, { recursive: true, encoding: 'utf8' })
  .filter((path) => /\.(h|cc)$/.test(path))
  .map((path) => ({ room: path.split('/')[0]!, path, text: readFileSync(join(native, path), 'utf8') }));

test('the table names every native room, and only rooms that are there', () => {
  assert.deepEqual([...table.keys()].sort(), [...new Set(sources.map(({ room }) => room))].sort());
  for (const room of [...table.values()].flat()) assert.ok(table.has(room), room);
});

test('no room includes a header of a room it may not know', () => {
  const forbidden = sources.flatMap(({ room, path, text }) =>
    [...text.matchAll(/^#include "(\w+)\//gm)]
      .map(([, other]) => other!)
      .filter((other) => other !== room && !table.get(room)!.includes(other))
      .map((other) => `${path} includes ${other}/`),
  );
  assert.deepEqual(forbidden, []);
});

test('one file asks the system for the time', () => {
  const askers = sources.filter(({ room, text }) => room !== 'testing' && /\bclock_gettime/.test(text));
  assert.deepEqual(
    askers.map(({ path }) => path),
    ['process/clock.h'],
  );
});

test('no two rooms of the table use each other in a circle', () => {
  assert.equal(circleOf(nativeRooms), null);
});
