/** What the command line needs before it does anything: no addon for help and for looking at runs, and words for what is wrong. */
import assert from 'node:assert/strict';
import { type SpawnSyncReturns, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { type AddressInfo, createServer } from 'node:net';
import { dirname } from 'node:path';
import { createInterface } from 'node:readline';
import { describe, it } from 'node:test';
import { targetOf } from '../../src/cli/commands/load.js';
import { subcommandNames } from '../../src/cli/subcommands.js';
import { type LoadResult, loadStreamLine } from '../../src/contract/load.js';
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

it('mistakes are named by the program, in subcommands too, with what may have been meant and what to try', () => {
  for (const [words, sentence, hint] of [
    [['lod'], "unknown command 'lod'\n(Did you mean load?)", ''],
    [['claims', '--jsn'], "unknown option '--jsn'\n(Did you mean --json?)", ' claims'],
    [['run', 'quick', '--nope'], "unknown option '--nope'", ' run quick'],
    [['run', 'idle-connections', '--backends', 'eppol'], '(Did you mean epoll?)', ' run idle-connections'],
    [['history', '--metric', 'cpu-per-reqest'], '(Did you mean cpu-per-request?)', ' history'],
    [['load', 'http://127.0.0.1:1', '--arrival', 'fixd'], '(Did you mean fixed?)', ' load'],
    [['load', '127.0.0.1:1', '--threshold', 'p99<5'], 'p99 needs a unit: ns, us, ms or s', ' load'],
  ] as const) {
    const { status, stderr } = dispatchbench(...words);
    assert.equal(status, 1);
    assert.ok(stderr.startsWith('dispatchbench: ') && stderr.includes(sentence), stderr);
    assert.ok(stderr.endsWith(`\n(try 'dispatchbench${hint} --help')\n`), stderr);
  }
});

describe('load', () => {
  it('takes a URL, HOST:PORT, or a protocol and either of its addresses', () => {
    const target = { host: '127.0.0.1', port: 8080 };
    for (const [first, second, option, found] of [
      ['http://127.0.0.1:8080/a?b=c', undefined, undefined, { protocol: 'http', target, path: '/a?b=c' }],
      ['tcp://127.0.0.1:8080', undefined, undefined, { protocol: 'tcp-echo', target }],
      [
        'http://[::1]',
        undefined,
        undefined,
        { protocol: 'http', target: { host: '::1', port: 80 }, path: '/' },
      ],
      ['127.0.0.1:8080', undefined, undefined, { protocol: 'http', target }],
      ['tcp-echo', '127.0.0.1:8080', undefined, { protocol: 'tcp-echo', target }],
      ['tcp-echo', undefined, target, { protocol: 'tcp-echo', target }],
    ] as const)
      assert.deepEqual(targetOf(first, second, option), found, first);
    for (const [first, second, option, sentence] of [
      ['https://127.0.0.1/', undefined, undefined, /cannot be loaded: write http:/],
      ['tcp://127.0.0.1', undefined, undefined, /names no port/],
      ['127.0.0.1', undefined, undefined, /not HOST:PORT.* nor a URL/],
      ['http', undefined, undefined, /say which server to load: load http HOST:PORT/],
      ['http', 'tcp-echo', undefined, /not one target/],
      ['127.0.0.1:1', undefined, target, /named twice/],
      ['tcp-echo', 'http://127.0.0.1:1/', undefined, /leave 'tcp-echo' out/],
    ] as const)
      assert.throws(() => targetOf(first, second, option), sentence);
  });

  it('of a port where nobody listens ends with a sentence and 1', () => {
    const { status, stdout, stderr } = dispatchbench('load', '127.0.0.1:1');
    assert.deepEqual([status, stdout], [1, '']);
    assert.match(
      stderr,
      /^dispatchbench: 0 of 10 connections to 127\.0\.0\.1:1 .*nothing listens there: start .*\n$/,
    );
  });

  it('tells while it goes on, and ends as its conditions say', async (t) => {
    const server = createServer((socket) => socket.on('error', () => {}).pipe(socket)).listen(0, '127.0.0.1');
    await once(server, 'listening');
    t.after(() => server.close());
    const { port } = server.address() as AddressInfo;
    const child = spawn(process.execPath, [
      ...[bin, 'load', `tcp://127.0.0.1:${port}`, '--connections', '1', '--rate', '200'],
      ...['--warmup', '10ms', '--duration', '300ms', '--json-lines', '--threshold', 'p50<1ns,errors=0'],
    ]);
    const closed = once(child, 'close');
    const [printed, said] = await Promise.all([child.stdout, child.stderr].map((stream) => stream.toArray()));
    const [code] = await closed;
    const lines = printed!
      .join('')
      .trimEnd()
      .split('\n')
      .map((line) => loadStreamLine.parse(JSON.parse(line)));
    assert.deepEqual(
      lines.map(({ event }) => event).filter((event) => event !== 'progress'),
      ['connected', 'window-start', 'window-end', 'result'],
    );
    assert.ok(lines.some(({ event }) => event === 'progress'));
    // Whether the client was the limit is the machine's business.
    const { saturation } = lines.at(-1) as LoadResult;
    assert.equal(code, saturation.length > 0 ? 3 : 2);
    assert.match(said!.join(''), /^dispatchbench: 'p50<1ns' (does not hold|is not resolved): p50 is \d.*\n$/);
  });
});
