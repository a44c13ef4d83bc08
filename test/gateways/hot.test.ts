/** Gateways whose module is exchanged while they serve: which one answers, what is refused, and what is lost under load. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, generateKeyPairSync, sign } from 'node:crypto';
import { existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { Agent, get } from 'node:http';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { after, describe, it } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../src/addon.js';
import { asVersion, versionIn, versionText } from '../../src/contract/versions.js';
import { type Command, GatewayProcess } from './contract-process.js';
import { builtModules, host, notBuilt } from './gateway-process.js';
import { modules } from './hand-made-modules.js';
import { ask } from './replies.js';
import { resident } from './resident-bytes.js';
import { code } from './wasm-bytes.js';

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true, force: true });
});

const sha256 = (bytes: Uint8Array) => createHash('sha256').update(bytes).digest('hex');
const counterFile = builtModules().find(({ kind }) => kind === 'counter')?.file;

interface Hosted {
  name: string;
  skip: string | false;
  command(...args: string[]): Command;
}

const hosts: Hosted[] = [
  {
    name: 'gateway-host',
    skip: notBuilt,
    command: (...args) => ({ command: host, args: ['--mode', 'hot', ...args] }),
  },
  {
    name: 'node:http',
    skip: false,
    command: (...args) => ({
      command: process.execPath,
      args: [join(packageRoot, 'dist/gateways/node/hot.js'), ...args],
    }),
  },
];

/** A gateway on a module of its own, and what a test does to it. */
class Watched {
  readonly file: string;
  readonly process: GatewayProcess;
  port = 0;

  private constructor(command: Hosted['command'], folder: string, flags: string[]) {
    this.file = join(folder, 'live.wasm');
    this.process = new GatewayProcess(
      command('--listen', '127.0.0.1:0', '--keep-alive', 'on', '--module', this.file, ...flags),
    );
  }

  /** @param prepare is given the path of the module before the gateway starts */
  static async with(
    { command }: Hosted,
    first: Uint8Array,
    work: (watched: Watched) => Promise<void>,
    { flags = [], prepare = () => {} }: { flags?: string[]; prepare?: (file: string) => void } = {},
  ): Promise<void> {
    const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-hot-'));
    folders.push(folder);
    writeFileSync(join(folder, 'live.wasm'), first);
    prepare(join(folder, 'live.wasm'));
    const watched = new Watched(command, folder, flags);
    try {
      watched.port = (await watched.process.announced()).port;
      await work(watched);
    } finally {
      watched.process.child.kill('SIGKILL');
      await watched.process.ended();
    }
  }

  put(bytes: Uint8Array, file = this.file): void {
    const beside = join(dirname(file), 'beside.part');
    writeFileSync(beside, bytes);
    renameSync(beside, file);
  }

  /** The next line of that event after those of before. */
  async told(event: 'module' | 'module-kept', before: number): Promise<Record<string, unknown>> {
    for (;;) {
      const lines = this.process.linesOf(event) as Record<string, unknown>[];
      if (lines.length > before) return lines[before]!;
      await pause(2);
    }
  }

  /** Puts bytes in place and waits for what the gateway says of them. */
  async exchanged(event: 'module' | 'module-kept', bytes: Uint8Array): Promise<Record<string, unknown>> {
    const before = this.process.linesOf(event).length;
    this.put(bytes);
    return this.told(event, before);
  }

  async says(status: number, body: RegExp, module: Uint8Array): Promise<void> {
    const reply = await ask(this.port, '/');
    assert.match(reply.body.toString(), body);
    assert.equal(reply.status, status);
    if (status === 200) assert.equal(reply.fields.get('x-module-sha256'), sha256(module));
  }
}

const pair = { save: code.i32(8), restore: code.i32(0) };
const named = (text: string) => ({ data: `${text} is here` });

for (const one of hosts) {
  describe(`hot: ${one.name}`, { skip: one.skip }, () => {
    it('a module that is put in place answers from then on, with its digest, and has the state of the one before', {
      skip: !counterFile,
    }, async () => {
      const counter = readFileSync(counterFile!);
      const version = (n: number) => asVersion(counter, n);
      await Watched.with(one, version(1), async (gateway) => {
        await gateway.says(200, /^v00000001 1$/, version(1));
        const line = await gateway.exchanged('module', version(2));
        assert.deepEqual(
          [line.sha256, line.state, line.bytes],
          [sha256(version(2)), 'handed-over', counter.length],
        );
        await gateway.says(200, /^v00000002 2$/, version(2));
        // Written where it lies, as a careless tool does.
        writeFileSync(gateway.file, version(3));
        assert.equal((await gateway.told('module', 1)).sha256, sha256(version(3)));
        await gateway.says(200, /^v00000003 3$/, version(3));
      });
    });

    it('a command can be one of them; what becomes of a state is said', async () => {
      const stateless = resident(named('stateless'));
      const [keeping, other] = [
        resident({ ...named('keeping'), ...pair }),
        resident({ ...named('other'), ...pair }),
      ];
      await Watched.with(one, modules.prefixer, async (gateway) => {
        await gateway.says(200, /^wasm:hello$/, modules.prefixer);
        const states: [Buffer, string][] = [
          [stateless, 'none'],
          [keeping, 'lost'],
          [other, 'handed-over'],
          [stateless, 'lost'],
          [modules.prefixer, 'lost'],
        ];
        for (const [module, state] of states)
          assert.equal((await gateway.exchanged('module', module)).state, state);
        await gateway.says(200, /^wasm:hello$/, modules.prefixer);
      });
    });

    it('what cannot be used changes nothing, and is said', async () => {
      const good = resident({ ...named('good'), ...pair });
      const unusable: [Buffer, RegExp][] = [
        [Buffer.from('no module'), /magic|header|expected/i],
        [good.subarray(0, good.length - 9), /./],
        [resident({ without: 'reply' }), /reply/],
        [resident({ save: code.i32(0) }), /one of save and restore without the other/],
        [modules.stranger, /import/],
        [
          resident({ ...named('choosy'), ...pair, restore: code.i32(7) }),
          /refuses the state of the one before, with 7/,
        ],
        [resident({ ...named('wild'), ...pair, buffer: code.i32(65_530) }), /./],
      ];
      await Watched.with(one, good, async (gateway) => {
        for (const [bytes, reason] of unusable) {
          const line = await gateway.exchanged('module-kept', bytes);
          assert.match(line.reason as string, reason);
          assert.equal(line.sha256, sha256(good));
          await gateway.says(200, /^good is here$/, good);
        }
        assert.equal(gateway.process.stderr.match(/is not loaded/g)?.length, unusable.length);
        // The file is gone: nothing takes over, and the next one does.
        rmSync(gateway.file);
        await gateway.says(200, /^good is here$/, good);
        await gateway.exchanged('module', resident(named('next')));
        await gateway.says(200, /^next is here$/, resident(named('next')));
      });
    });

    it('an instance that traps, floods, or runs too long is made anew', async () => {
      const failing: [number[], number][] = [
        [code.unreachable, 500],
        [code.i32(-1), 500],
        [[...code.forEver([]), ...code.unreachable], 504],
        [code.i32(0), 502],
      ];
      const first = resident(named('first'));
      await Watched.with(
        one,
        first,
        async (gateway) => {
          for (const [handle, status] of failing) {
            const module = resident({ handle });
            await gateway.exchanged('module', module);
            for (let i = 0; i < 3; i++) await gateway.says(status, /\n$/, module);
          }
          assert.match(gateway.process.stderr, /was made anew, its state is lost: the module trapped/);
          await gateway.exchanged('module', first);
          await gateway.says(200, /^first is here$/, first);
        },
        { flags: ['--deadline-ms', '100'] },
      );
    });

    it('of a list of digests only those are loaded that are on it', async () => {
      const [first, listed, stranger] = ['first', 'listed', 'stranger'].map((name) => resident(named(name)));
      const list = join(mkdtempSync(join(tmpdir(), 'dispatchbench-digests-')), 'digests');
      folders.push(dirname(list));
      writeFileSync(list, `${sha256(first!)}  live.wasm\n`);
      await Watched.with(
        one,
        first!,
        async (gateway) => {
          assert.match(
            (await gateway.exchanged('module-kept', listed!)).reason as string,
            /its digest .* is not in/,
          );
          writeFileSync(list, `${sha256(first!)}  live.wasm\n${sha256(listed!).toUpperCase()}  other.wasm\n`);
          await gateway.exchanged('module', listed!);
          await gateway.says(200, /^listed is here$/, listed!);
          assert.match((await gateway.exchanged('module-kept', stranger!)).reason as string, /is not in/);
          rmSync(list);
          assert.match((await gateway.exchanged('module-kept', first!)).reason as string, /cannot be read/);
          await gateway.says(200, /^listed is here$/, listed!);
        },
        { flags: ['--digests', list] },
      );
    });

    it('with a key only those are loaded that it signed', async () => {
      const pairOfKeys = generateKeyPairSync('ed25519');
      const other = generateKeyPairSync('ed25519');
      const hex = pairOfKeys.publicKey.export({ format: 'der', type: 'spki' }).subarray(-32).toString('hex');
      const [first, second] = [resident(named('first')), resident(named('second'))];
      const signed = (bytes: Buffer, key = pairOfKeys.privateKey) => sign(null, bytes, key);
      await Watched.with(
        one,
        first,
        async (gateway) => {
          // The signature beside it is still that of the first one.
          assert.match(
            (await gateway.exchanged('module-kept', second)).reason as string,
            /is no signature of it/,
          );
          gateway.put(signed(second, other.privateKey), `${gateway.file}.sig`);
          assert.match((await gateway.told('module-kept', 1)).reason as string, /is no signature of it/);
          gateway.put(Buffer.from('short'), `${gateway.file}.sig`);
          assert.match((await gateway.told('module-kept', 2)).reason as string, /is no signature of it/);
          await gateway.says(200, /^first is here$/, first);
          gateway.put(signed(second), `${gateway.file}.sig`);
          await gateway.told('module', 0);
          await gateway.says(200, /^second is here$/, second);
        },
        { flags: ['--key', hex], prepare: (file) => writeFileSync(`${file}.sig`, signed(first)) },
      );
    });

    it('a first module that is not trusted, or cannot be used, ends it with one sentence', () => {
      const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-first-'));
      folders.push(folder);
      const file = join(folder, 'live.wasm');
      writeFileSync(file, resident());
      writeFileSync(join(folder, 'none'), '');
      writeFileSync(join(folder, 'broken.wasm'), 'broken');
      const refused: [string[], RegExp, number][] = [
        [['--module', file, '--digests', join(folder, 'none')], /is not in/, 1],
        [['--module', file, '--key', '00'.repeat(32)], /signature/, 1],
        [['--module', file, '--key', 'x'], /--key/, 2],
        [['--module', join(folder, 'broken.wasm')], /cannot be used/, 1],
        [['--module', join(folder, 'absent.wasm')], /cannot (read|be used)/, 1],
        [[], /--module/, 2],
      ];
      for (const [flags, says, status] of refused) {
        const { command, args } = one.command('--listen', '127.0.0.1:0', ...flags);
        const ended = spawnSync(command, [...args], { encoding: 'utf8', timeout: 60_000 });
        assert.match(ended.stderr, says);
        assert.equal(ended.status, status, ended.stderr);
        assert.equal(ended.stderr.trim().split('\n').length, 1, ended.stderr);
      }
    });

    it('20 exchanges under load: no request is lost, none is answered by an older one than before, no count is lost', {
      skip: !counterFile,
    }, async () => {
      const counter = readFileSync(counterFile!);
      const connections = 8;
      const exchanges = 20;
      await Watched.with(one, asVersion(counter, 0), async (gateway) => {
        const agent = new Agent({ keepAlive: true, maxSockets: connections });
        const counts: number[] = [];
        let newest = 0;
        let ended = false;
        const request = () =>
          new Promise<string>((resolve, reject) => {
            get({ port: gateway.port, host: '127.0.0.1', path: '/', agent }, (response) => {
              let body = '';
              response.setEncoding('latin1');
              response.on('data', (chunk) => {
                body += chunk;
              });
              response.on('end', () =>
                response.statusCode === 200
                  ? resolve(body)
                  : reject(new Error(`${response.statusCode}: ${body}`)),
              );
              response.on('error', reject);
            }).on('error', reject);
          });
        const client = async () => {
          while (!ended) {
            const known = newest;
            const body = await request();
            const version = versionIn(body)!;
            assert.ok(version >= known, `${body} came after version ${known} had answered`);
            newest = Math.max(newest, version);
            counts.push(Number(body.split(' ')[1]));
          }
        };
        const clients = Promise.all(Array.from({ length: connections }, client));
        for (let version = 1; version <= exchanges; version++) {
          const answered = counts.length;
          const line = await gateway.exchanged('module', asVersion(counter, version));
          assert.equal(line.state, 'handed-over');
          while (newest < version || counts.length < answered + connections) await pause(1);
        }
        ended = true;
        await clients;
        agent.destroy();
        assert.equal(newest, exchanges);
        assert.deepEqual(
          counts.sort((a, b) => a - b),
          counts.map((_, at) => at + 1),
        );
      });
    });
  });
}

it('--digests and --key are for the mode that watches', { skip: notBuilt }, () => {
  const flags = ['--mode', 'pool', '--module', counterFile ?? 'absent', '--key', '00'.repeat(32)];
  const { status, stderr } = spawnSync(host, flags, { encoding: 'utf8', timeout: 20_000 });
  assert.equal(status, 2);
  assert.match(stderr, /--watch, --digests and --key go with --mode hot/);
});

it('versions are written and read', () => {
  const bytes = asVersion(Buffer.from('\0\xffv00000000 \xfe', 'latin1'), 42);
  assert.deepEqual(bytes, Buffer.from('\0\xffv00000042 \xfe', 'latin1'));
  assert.equal(versionIn(`${versionText(42)} 7`), 42);
  assert.equal(versionIn(' v00000042'), null);
  assert.equal(versionIn(' v00000042', 'anywhere'), 42);
  for (const text of ['none', 'v0000001', 'v00000001 v00000002'])
    assert.throws(() => asVersion(Buffer.from(text), 1), /no place|several/);
  assert.ok(existsSync(counterFile ?? packageRoot));
});
