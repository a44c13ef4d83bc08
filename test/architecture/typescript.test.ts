/** The TypeScript rooms know only whom the table of docs/architecture.md lets them know. */
import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { before, test } from 'node:test';
import { cruise, type ICruiseResult } from 'dependency-cruiser';
import { packageRoot } from '../../src/addon.js';
import { circleOf, type Room, typescriptRooms } from './rooms.js';

const roots = ['src', 'servers', 'clients', 'gateways/node', 'bench'];

/** The innermost room that a file lies in; undefined: none of the table. */
const roomOf = (path: string): Room | undefined =>
  typescriptRooms
    .filter(({ folder }) => (folder === 'src' ? /^src\/[^/]+$/.test(path) : path.startsWith(`${folder}/`)))
    .at(0);

let modules: ICruiseResult['modules'];

before(async () => {
  const { output } = await cruise(roots, {
    baseDir: packageRoot,
    tsPreCompilationDeps: true, // types count as well
    parser: 'swc',
    doNotFollow: { path: 'node_modules' },
  });
  modules = (output as ICruiseResult).modules.filter(({ source }) =>
    roots.some((root) => source.startsWith(`${root}/`)),
  );
});

/** Every import, with what it was written as and whether only its types are used. */
const imports = () =>
  modules.flatMap(({ source, dependencies }) =>
    dependencies.map((dependency) => ({ source, ...dependency })),
  );

test('every file was read, and lies in a room of the table', () => {
  const files = roots.flatMap((root) =>
    readdirSync(join(packageRoot, root), { recursive: true, encoding: 'utf8' })
      .filter((path) => path.endsWith('.ts'))
      .map((path) => `${root}/${path}`),
  );
  const read = new Set(modules.map(({ source }) => source));
  assert.deepEqual(
    files.filter((path) => !read.has(path)),
    [],
  );
  assert.deepEqual(
    files.filter((path) => !roomOf(path)),
    [],
  );
});

test('the table names only rooms that are there, each with files in it', () => {
  const names = new Set(typescriptRooms.map(({ name }) => name));
  assert.equal(names.size, typescriptRooms.length);
  const used = typescriptRooms.flatMap(({ mayUse, mayUseTypesOf }) => [...(mayUse ?? []), ...mayUseTypesOf]);
  assert.deepEqual(
    used.filter((name) => !names.has(name)),
    [],
  );
  const empty = typescriptRooms.filter((room) => !modules.some(({ source }) => roomOf(source) === room));
  assert.deepEqual(empty, []);
});

test('what is imported is found', () => {
  const lost = imports().filter(({ couldNotResolve }) => couldNotResolve);
  assert.deepEqual(
    lost.map(({ source, module }) => `${source} imports ${module}`),
    [],
  );
});

test('no room imports from a room it may not know', () => {
  const forbidden = imports()
    .filter(({ coreModule, resolved }) => !coreModule && !resolved.includes('node_modules/'))
    .filter(({ source, resolved, dependencyTypes }) => {
      const [from, to] = [roomOf(source)!, roomOf(resolved)];
      if (!to) return !(resolved.endsWith('.json') && from.mayUse === null);
      if (to === from || from.mayUse?.includes(to.name)) return false;
      if (from.mayUse === null) return !to.folder.startsWith('src') && to.name !== 'servers';
      return !(from.mayUseTypesOf.includes(to.name) && dependencyTypes.includes('type-only'));
    });
  assert.deepEqual(
    forbidden.map(({ source, resolved }) => `${source} imports ${resolved}`),
    [],
  );
});

test('a pure room uses no module of Node', () => {
  const impure = imports().filter(({ source, coreModule }) => coreModule && roomOf(source)!.pure);
  assert.deepEqual(
    impure.map(({ source, module }) => `${source} imports ${module}`),
    [],
  );
});

test('no two files, and no two rooms of the table, use each other in a circle', () => {
  const circles = imports().filter(({ circular }) => circular);
  assert.deepEqual(
    circles.map(({ source, resolved }) => `${source} imports ${resolved}`),
    [],
  );
  assert.equal(circleOf(typescriptRooms), null);
});
