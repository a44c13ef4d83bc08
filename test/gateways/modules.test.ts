/** Every module gives the same on every engine that is found, and a plugin what its description says. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { Guest } from '../../gateways/node/guest.js';
import { Refusal } from '../../gateways/node/refusal.js';
import { packageRoot } from '../../src/addon.js';
import { randomFrom } from '../../src/statistics/random.js';
import { type BuiltModule, builtModules, host, notBuilt } from './gateway-process.js';

interface Engine {
  name: string;
  run(module: BuiltModule, input: Buffer): { failed: boolean; output: Buffer };
}

const folder = mkdtempSync(join(tmpdir(), 'modules-'));
after(() => rmSync(folder, { recursive: true, force: true }));
const modules = builtModules();

const fromCommand =
  (argv: readonly string[], end: (file: string) => string[]): Engine['run'] =>
  ({ file }, input) => {
    const [command, ...args] = argv as [string, ...string[]];
    const { status, stdout, error } = spawnSync(command, [...args, ...end(file)], {
      input,
      maxBuffer: 8 << 20,
      timeout: 60_000,
    });
    assert.ok(error === undefined || (error as NodeJS.ErrnoException).code === 'EPIPE', String(error));
    return { failed: status !== 0, output: stdout };
  };

const slow = ['--deadline-ms', '60000'];
const hostModes: Engine[] = [['ondemand'], ['ondemand', '--wasi', 'lean'], ['pre'], ['pool']].map((mode) => ({
  name: `gateway-host ${mode.join(' ')}`,
  run: fromCommand([host, 'run', '--mode', ...mode, ...slow], (file) => ['--module', file]),
}));

const ahead: Engine = {
  name: 'gateway-host aot',
  run: fromCommand([host, 'run', '--mode', 'aot', ...slow], (file) => {
    const compiled = join(folder, `${createHash('sha256').update(file).digest('hex')}.cwasm`);
    if (!existsSync(compiled)) {
      const { status, stderr } = spawnSync(host, ['precompile', file, compiled], { encoding: 'utf8' });
      assert.equal(status, 0, stderr);
    }
    return ['--module', compiled];
  }),
};

const node: Engine = {
  name: 'WebAssembly of Node',
  run: ({ file }, input) => answerOf(guestOf(file), input),
};

const guestOf = (file: string) => new Guest(new WebAssembly.Module(readFileSync(file)));

/** As a command's: what it refuses has no output. */
function answerOf(guest: Guest, input: Buffer): { failed: boolean; output: Buffer } {
  try {
    return { failed: false, output: Buffer.from(guest.run(input)) };
  } catch (error) {
    if (!(error instanceof Refusal)) throw error;
    return { failed: true, output: Buffer.alloc(0) };
  }
}

/** Engines with a command line: those that were set up here, and those on the search path. */
function commandLines(): Engine[] {
  const list = join(packageRoot, '.cache/gateways/engines/engines.json');
  const setUp = existsSync(list) ? JSON.parse(readFileSync(list, 'utf8')) : {};
  const onPath = { wasmtime: ['wasmtime', 'run'], wasmedge: ['wasmedge'], wazero: ['wazero', 'run'] };
  return Object.entries(onPath).flatMap(([name, argv]) => {
    const found: string[] | undefined =
      setUp[name]?.argv ?? (spawnSync(name, ['--version']).error === undefined ? argv : undefined);
    return found ? [{ name, run: fromCommand(found, (file) => [file]) }] : [];
  });
}

const engines = [...hostModes, ahead, node, ...commandLines()];
const skip = notBuilt || (modules.length === 0 ? 'no module is built' : false);

it('every module is what modules.json says of it, and asks for nothing but WASI', { skip }, () => {
  for (const { language, file, sha256, bytes } of modules) {
    const content = readFileSync(file);
    assert.equal(content.length, bytes);
    assert.equal(createHash('sha256').update(content).digest('hex'), sha256);
    // The same source as a program, to compare with.
    if (language === 'native') continue;
    for (const { module } of WebAssembly.Module.imports(new WebAssembly.Module(content)))
      assert.equal(module, 'wasi_snapshot_preview1');
  }
});

const inputs: [string, Buffer][] = [
  ['a word', Buffer.from('hello')],
  ['nothing', Buffer.alloc(0)],
  ['a page', Buffer.alloc(65536 - 16 - 5, 'p')],
  ['more than a page, of all bytes', Buffer.from(Array.from({ length: 200_001 }, (_, n) => (n * 7) & 255))],
];

describe('the prefixer', { skip }, () => {
  for (const module of modules.filter(({ kind }) => kind === 'prefixer')) {
    for (const engine of engines) {
      it(`in ${module.language} on ${engine.name}`, () => {
        for (const [what, input] of inputs) {
          const { failed, output } = engine.run(module, input);
          assert.equal(failed, false, what);
          assert.ok(output.equals(Buffer.concat([Buffer.from('wasm:'), input])), what);
        }
      });
    }
  }
});

// ---- what a plugin writes, said once more with the means of this language

const routes: [string, RegExp][] = [
  ['home', /^\/$/],
  ['user', /^\/users\/([0-9]+)$/],
  ['comment', /^\/articles\/([a-z0-9-]+)\/comments\/([0-9]+)$/],
  ['article', /^\/articles\/([a-z0-9-]+)$/],
  ['asset', /^\/assets\/(.+)\.([a-z]+)$/s],
];
const renamed: Record<string, string> = { host: 'authority', 'user-agent': 'agent' };

/** Control characters by number, whatever short form they have; a lone surrogate is no character. */
const quoted = (text: string) =>
  JSON.stringify(Buffer.from(text).toString()).replace(/\\([btnfr])|\\./g, (whole, letter?: string) =>
    letter ? { b: '\\u0008', t: '\\u0009', n: '\\u000a', f: '\\u000c', r: '\\u000d' }[letter]! : whole,
  );

interface Asked {
  path: string;
  method: string;
  headers: [string, string][];
}

function expected({ path, method, headers }: Asked): string {
  // Bytes as characters, as a pattern sees them.
  const bytes = Buffer.from(path).toString('latin1');
  const [route, pattern] = routes.find(([, each]) => each.test(bytes)) ?? ['other', /^/];
  const params = bytes
    .match(pattern)!
    .slice(1)
    .map((param) => quoted(Buffer.from(param, 'latin1').toString()));
  const upper = method.replace(/[a-z]/g, (letter) => letter.toUpperCase());
  const members = headers.map(([name, value]) => `${quoted(renamed[name] ?? name)}:${quoted(value)}`);
  return `{"route":"${route}","params":[${params}],"target":${quoted(path)},"verb":${quoted(upper)},"headers":{${members}}}`;
}

const written = ({ path, method, headers }: Asked) => {
  const members = headers.map(([name, value]) => `${JSON.stringify(name)}: ${JSON.stringify(value)}`);
  return `{"path":${JSON.stringify(path)},"method":${JSON.stringify(method)},\n"headers":{${members}}}`;
};

const plain = (path: string, method = 'GET', headers: [string, string][] = []): Asked => ({
  path,
  method,
  headers,
});
const requests: Asked[] = [
  plain('/'),
  plain(''),
  plain('/users/42', 'get', [
    ['host', 'example.org'],
    ['user-agent', 'wrk'],
    ['Host', 'as it is'],
  ]),
  plain('/users/'),
  plain('/users/42x'),
  plain('/articles/a-1/comments/007', 'Delete\u00e9'),
  plain('/articles/-'),
  plain('/articles/A'),
  plain('/assets/a/b.c/d.min.js'),
  plain('/assets/.js'),
  plain('/assets/\u00e9\n.css', 'POST', [['x', '\b\t\n\f\r\u0000\u001f\u007f"\\/\u2028\ud83d\ude00']]),
  plain('/nowhere', 'p\ud800t', [
    ['', ''],
    ['', 'again'],
  ]),
];

/** Not what is to be read: no output, and a failure. */
const malformed = [
  '',
  'hello',
  '{',
  '[]',
  '{}',
  '{"path":"/"}',
  '{"path":"/","method":"GET","headers":{}} x',
  '{"path":"/","method":"GET","headers":{}',
  '{"path":"/","method":"GET","headers":[]}',
  '{"path":"/","method":"GET","headers":{"a":1}}',
  '{"path":null,"method":"GET","headers":{}}',
  '{"path":"/","method":"GET","headers":{},}',
  '{"path":"\n","method":"GET","headers":{}}',
  '{"path":"\\x","method":"GET","headers":{}}',
  '{"path":"\\u12","method":"GET","headers":{}}',
  '{"path":"\\ud800\\u","method":"GET","headers":{}}',
  `{"x":${'['.repeat(100)}${']'.repeat(100)},"path":"/","method":"GET","headers":{}}`,
];

/** Read as the request in the second place. */
const unusual: [string, Asked][] = [
  [
    ' {"headers" : { } , "x":[1,{"y":[]},"z",true,null,-1.5e+3], "method":"a","path":"/"}\r\n\t',
    plain('/', 'a'),
  ],
  ['{"path":"/no","path":"/users/1","method":"a","headers":{"q":"r"},"headers":{}}', plain('/users/1', 'a')],
  [
    '{"p\\u0061th":"\\/","method":"\\u00e9\\uD83D\\ude00\\ud800","headers":{}}',
    plain('/', '\u00e9\ud83d\ude00\ud800'),
  ],
  ['{"path":"\\ud800\\u0041","method":"\\udc00x","headers":{}}', plain('\ud800A', '\udc00x')],
];

describe('the plugin', { skip }, () => {
  const plugins = modules.filter(({ kind }) => kind === 'plugin');
  for (const module of plugins) {
    for (const engine of engines) {
      it(`in ${module.language} on ${engine.name}`, () => {
        const good: [string, Asked][] = [
          ...requests.map((asked): [string, Asked] => [written(asked), asked]),
          ...unusual,
        ];
        for (const [text, asked] of good) {
          const { failed, output } = engine.run(module, Buffer.from(text));
          assert.equal(output.toString(), expected(asked), text);
          assert.equal(failed, false, text);
        }
        for (const text of malformed) {
          const { failed, output } = engine.run(module, Buffer.from(text));
          assert.equal(failed, true, text);
          assert.equal(output.length, 0, text);
        }
      });
    }
  }

  it('writes the same in every language, whatever it is given', () => {
    const seed = Date.now() % 1e6;
    const random = randomFrom(seed);
    const below = (most: number) => Math.floor(random() * most);
    const characters = [
      ...'/abz09-.A"\\\n\u00e9\u20ac\ud83d\ude00',
      '\ud83d\ude00',
      '/users/',
      '/articles/',
      '/assets/',
    ];
    const word = () => Array.from({ length: below(12) }, () => characters[below(characters.length)]).join('');
    const guests = plugins.map(({ file }) => guestOf(file));
    for (let n = 0; n < 500; n++) {
      const headers = Array.from({ length: below(5) }, (): [string, string] => [word(), word()]);
      const asked = plain(word(), word(), headers);
      const bytes = Buffer.from(written(asked));
      for (const guest of guests) {
        assert.equal(answerOf(guest, bytes).output.toString(), expected(asked), `seed ${seed}`);
      }
      // One byte of it is another one: both still agree, on refusal as well.
      bytes[below(bytes.length)] = below(256);
      const [first, ...others] = guests.map((guest) => answerOf(guest, bytes));
      for (const other of others) assert.deepEqual(other, first, `seed ${seed}: ${bytes.toString('latin1')}`);
    }
  });
});
