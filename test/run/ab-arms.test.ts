/** What `dispatchbench ab` compares: arms that are none are refused, others are taken in turn. Nothing is measured. */
import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { packageRoot } from '../../src/addon.js';
import { openHost } from '../../src/hosts/registry.js';
import { block } from '../../src/run/schedule.js';
import { places } from '../../src/stage/places.js';
import { dispatchbench } from '../support/command.js';
import { freshFolder } from './fake-run.js';

/** Folders that look like a build, and are none that can be measured. */
function spoiled(spoil: (folder: string) => void): string {
  const folder = freshFolder();
  for (const name of ['dist', 'build', 'node_modules'])
    symlinkSync(join(packageRoot, name), join(folder, name));
  mkdirSync(join(folder, 'bin'));
  cpSync(join(packageRoot, 'bin/dispatchbench.js'), join(folder, 'bin/dispatchbench.js'));
  cpSync(join(packageRoot, 'package.json'), join(folder, 'package.json'));
  cpSync(join(packageRoot, 'schemas'), join(folder, 'schemas'), { recursive: true });
  spoil(folder);
  return folder;
}
const otherContract = (folder: string) => {
  const path = join(folder, 'schemas/server-line.json');
  writeFileSync(path, readFileSync(path, 'utf8').replace('hello', 'hallo'));
};
const broken = (folder: string) =>
  writeFileSync(join(folder, 'bin/dispatchbench.js'), "import './gone.js';\n");

for (const [what, args, sentence] of [
  ['a folder that is not there', ['--baseline', 'nowhere'], /'nowhere' is no built checkout.*no such folder/],
  [
    'a folder without a build',
    ['--candidate', freshFolder()],
    /is no built checkout.*no dist\/servers\/main\.js/,
  ],
  ['another contract', ['--candidate', spoiled(otherContract)], /another form|another one|in another form/],
  ['a build that does not start', ['--candidate', spoiled(broken)], /does not start: .*gone\.js/],
  ['an unknown revision', ['--baseline', 'git:no-such-revision'], /is no revision of this repository/],
  ['a revision that looks like an option', ['--baseline', 'git:--help'], /is no revision of this repository/],
  ['arms of two kinds', ['--baseline', 'x {port}'], /give two of one kind/],
  [
    'flags for our servers beside command lines',
    ['--baseline', 'x {port}', '--candidate', 'y {port}', '--impl', 'ts'],
    /--impl chooses servers of ours/,
  ],
  ['an unknown condition', ['--threshold', 'bigger'], /'bigger' is not a condition/],
  ['a condition on losses', ['--threshold', 'loss<1%'], /'loss' is not compared/],
  ['no margin', ['--margin', '0%'], /a share above 0, such as 3%/],
  ['an unknown metric', ['--metric', 'charm'], /Allowed choices are/],
] as const) {
  test(`ab refuses ${what} in one sentence, and measures nothing`, () => {
    const out = freshFolder();
    const usual = ['--baseline', packageRoot, '--candidate', packageRoot, '--pairs', '1', '--out', out];
    const { status, stderr, stdout } = dispatchbench('ab', ...usual, ...args);
    assert.equal(status, 1, stdout);
    assert.match(stderr, sentence);
    assert.match(stderr, /^(dispatchbench|error): [^\n]+\n(\(try [^\n]*\n|.*\n*)?$/);
    assert.deepEqual(readdirSync(out), []);
  });
}

test('a build as host takes its servers from there and everything else from here', async () => {
  const roles = await openHost(`build:other=${spoiled(() => {})}`);
  try {
    const program = { script: 'servers/main', args: [] };
    assert.notEqual(roles.server.command(program).args[0], roles.client.command(program).args[0]);
    const [server, client] = [roles.server.look, roles.client.look];
    assert.deepEqual([roles.name, server.addonDigest], ['other', client.addonDigest]);
    const local = await openHost('local');
    try {
      const here = local.server.look;
      assert.deepEqual(places(server, client), places(here, here));
    } finally {
      await local.close();
    }
    const none = { bootId: null, cpus: server.cpus };
    assert.deepEqual(places(none, { ...none }), places(server, client), 'also where no boot has a name');
  } finally {
    await roles.close();
  }
});

test('cells of a pair follow each other, in either order', () => {
  const cells = ['a1', 'b1', 'a2', 'b2', 'a3', 'b3'];
  const first = new Set<string>();
  for (let index = 0; index < 20; index++) {
    const order = block(cells, 7, index, (cell) => cell[1]!);
    assert.deepEqual([...order].sort(), [...cells].sort());
    for (let at = 0; at < order.length; at += 2) assert.equal(order[at]![1], order[at + 1]![1]);
    first.add(order[0]!);
  }
  assert.ok(first.size > 4);
});
