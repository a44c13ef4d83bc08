import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import type { BackendName } from '../../src/contract/common.js';
import { type FlameProfile, type FlameRecord, flameRecord } from '../../src/contract/flame.js';
import { type FlameOptions, ourServer, runFlame, type ServerChoice } from '../../src/flame/flame.js';
import { writeDerived } from '../../src/flame/output.js';
import { type PerfSupport, perfMapPath, probePerf } from '../../src/flame/perf.js';
import { type ProfileRequest, profileWithPerf } from '../../src/flame/profile.js';
import { parseFolded, totalWeight } from '../../src/flame/stacks.js';
import { runTool } from '../../src/flame/tools.js';
import type { Host } from '../../src/hosts/host.js';
import { descriptorLimit } from '../../src/hosts/linux-facts.js';
import { openLocal } from '../../src/hosts/local.js';
import { install } from '../../src/on-demand.js';

const support = probePerf();
const idle = 10_000;
const needed = idle + 200;

function reasonToSkip(): string | false {
  if (typeof support === 'string') return support;
  if (!support.kernelFrames) return support.notes.join('; ');
  const limit = descriptorLimit()?.hard ?? 0;
  return limit < needed ? `${needed} descriptors needed, the hard limit is ${limit}` : false;
}
const skip = reasonToSkip();
if (skip) console.log(`flame trials skipped: ${skip}`);

const roles = await openLocal();
const site = { roles, signal: new AbortController().signal };
const folders: string[] = [];
after(async () => {
  await roles.close();
  for (const folder of folders) rmSync(folder, { recursive: true });
});

const common = {
  idle: 0,
  connections: 50,
  durationMs: 800,
  // What is asked for is there before V8 has compiled it, too.
  warmupMs: 200,
  frequencyHz: 499,
  profiler: 'perf',
} as const;

function freshFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'flame-trial-'));
  folders.push(folder);
  return folder;
}

/** @param options of a server of ours, of another backend beside it, and of the trial */
async function profile({
  impl = 'native',
  backend = 'epoll',
  io = 'batch',
  protocol = 'tcp-echo',
  ports,
  diff,
  ...options
}: Partial<ServerChoice & FlameOptions & { diff: BackendName }>): Promise<FlameRecord> {
  const choice = { impl, io, protocol, ...(ports === undefined ? {} : { ports }) };
  const { idle = common.idle } = options;
  const of = (name: BackendName) => ourServer({ ...choice, backend: name }, idle);
  const servers = { profile: of(backend), base: diff === undefined ? null : of(diff) };
  return runFlame({ ...common, ...servers, folder: freshFolder(), ...options }, site, () => {});
}

/** Stacks of a profile of the latest trial. */
function foldedOf({ files }: FlameProfile) {
  return parseFolded(readFileSync(join(folders.at(-1)!, files.folded), 'utf8'));
}

/** Share of the samples in which the server was inside the kernel's code of select, whatever function was the leaf. */
const selectShare = ({ families }: FlameProfile) =>
  families.find(({ name }) => name === 'select scan')?.share ?? 0;

describe('flame trial with perf', { skip }, () => {
  test("somebody else's server: what it does, and what it cannot tell", async () => {
    const script =
      "require('http').createServer((q, r) => r.end('hi')).listen(+process.argv[1], process.argv[2])";
    const subject = {
      kind: 'foreign',
      protocol: 'http',
      name: 'theirs',
      command: [process.execPath, '-e', script, '{port}', '{address}'],
    } as const;
    const record = await runFlame(
      {
        ...common,
        profile: { subject: { ...subject, command: [...subject.command] }, title: 'theirs' },
        base: null,
        folder: freshFolder(),
      },
      site,
      () => {},
    );
    const [shown] = record.profiles as [FlameProfile];
    assert.deepEqual([shown.title, shown.server?.subject, shown.profiler], ['theirs', 'foreign', 'perf']);
    assert.ok(shown.samples > 10);
    assert.equal(shown.cpuPerRequestUs, null);
  });

  for (const impl of ['native', 'ts'] as const) {
    test(`${impl}: at ${idle} idle connections select's scan is the widest leaf family, epoll has none`, async () => {
      const record = await profile({ impl, backend: 'select', diff: 'epoll', idle });
      const [select, epoll] = record.profiles as [FlameProfile, FlameProfile];
      assert.deepEqual(
        [select, epoll].map(({ server }) => server?.subject === 'dispatch' && server.backend),
        ['select', 'epoll'],
      );
      assert.equal(select.families[0]!.name, 'select scan');
      assert.ok(selectShare(select) > 0.5, `select scans in ${selectShare(select)} of the samples`);
      assert.equal(selectShare(epoll), 0);
    });
  }

  for (const impl of ['native', 'ts'] as const) {
    test(`${impl}: with 5000 UDP ports select's scan is the widest leaf family, epoll has none`, async () => {
      const record = await profile({
        impl,
        protocol: 'udp-echo',
        ports: 5000,
        backend: 'select',
        diff: 'epoll',
      });
      const [select, epoll] = record.profiles as [FlameProfile, FlameProfile];
      for (const { server, requests, title } of [select, epoll]) {
        assert.deepEqual([server?.protocol, server?.ports], ['udp-echo', 5000]);
        assert.ok(requests.profiled > 0 && requests.unprofiled > 0, 'datagrams were answered');
        assert.match(title, /5000 ports$/);
      }
      assert.equal(select.families[0]!.name, 'select scan');
      assert.equal(selectShare(epoll), 0);
    });
  }

  test('a ts server shows JavaScript, addon and kernel in one stack, in this order', async () => {
    const record = await profile({ impl: 'ts', backend: 'poll' });
    const stacks = foldedOf(record.profiles[0]!);
    const order = ['javascript', 'native', 'kernel'] as const;
    const whole = stacks.filter(({ frames }) => {
      const places = order.map((kind) => frames.findIndex((frame) => frame.kind === kind));
      return places.every((place, index) => place > (places[index - 1] ?? -1));
    });
    const share = totalWeight(whole) / totalWeight(stacks);
    assert.ok(share > 0.5, `${share} of the samples`);
    const names = new Set(whole.flatMap(({ frames }) => frames.map(({ name }) => name)));
    assert.ok(
      [...names].some((name) => name.includes('dist/servers/')),
      'functions of the server by name and file',
    );
    assert.ok(names.has('dispatch::Poller::wait'));
    assert.ok(existsSync(join(folders.at(-1)!, record.profiles[0]!.files.perfMap!)));
    assert.ok(!existsSync(perfMapPath(record.profiles[0]!.server!.pid)), 'the map in /tmp is gone');
  });

  test('a libuv server shows JavaScript, libuv and kernel in one stack', async () => {
    const record = await profile({ impl: 'libuv', backend: 'epoll' });
    const stacks = foldedOf(record.profiles[0]!);
    const kinds = stacks.map(({ frames }) => new Set(frames.map(({ kind }) => kind)));
    assert.ok(
      kinds.some((found) => (['javascript', 'libuv', 'kernel'] as const).every((kind) => found.has(kind))),
    );
  });

  test('every file is written, the derived ones can be made again', async () => {
    const record = await profile({ backend: 'poll', diff: 'epoll' });
    const folder = folders.at(-1)!;
    const [first] = record.profiles as [FlameProfile, FlameProfile];
    flameRecord.parse(JSON.parse(readFileSync(join(folder, 'flame.json'), 'utf8')));
    const { svg, speedscope } = first.files;
    const derived = Object.values(record.difference!.files).concat(record.page, svg, speedscope);
    const read = () => derived.map((file) => readFileSync(join(folder, file), 'utf8'));
    const written = read();
    for (const file of derived) rmSync(join(folder, file));
    writeDerived(folder);
    assert.deepEqual(read(), written);
    assert.equal(totalWeight(foldedOf(first)), first.samples);
    assert.ok(first.events.length > 0);
    assert.ok(first.requests.profiled > 0 && first.requests.unprofiled > 0);
    assert.ok(first.overhead.pairs >= 5 && first.overhead.rate !== null);
  });
});

describe('a profiled server that ends before it listens', {
  skip: typeof support === 'string' && support,
}, () => {
  test('leaves no map of its functions behind', async () => {
    const scratch = mkdtempSync(join(tmpdir(), 'flame-trial-'));
    folders.push(scratch);
    const pids: number[] = [];
    const failing: Host = Object.create(roles.server, {
      command: { value: () => ({ command: process.execPath, args: ['-e', 'process.exit(7)'] }) },
      spawn: {
        value(...all: Parameters<Host['spawn']>) {
          const child = roles.server.spawn(...all);
          pids.push(child.pid);
          return child;
        },
      },
    });
    const request: ProfileRequest = {
      site: { ...site, roles: { ...roles, server: failing, client: failing } },
      subject: { kind: 'dispatch', impl: 'ts', backend: 'poll', protocol: 'tcp-echo', io: 'call' },
      load() {
        throw new Error('nothing else is started');
      },
      idleConnections: 0,
      durationMs: 1000,
      frequencyHz: 99,
      perfMapFile: join(scratch, 'kept.map'),
    };
    await assert.rejects(profileWithPerf(request, support as PerfSupport), /ended with code 7/);
    assert.equal(pids.length, 1);
    assert.ok(!existsSync(perfMapPath(pids[0]!)));
  });
});

describe("flame trial with V8's profiler", () => {
  test('shows JavaScript only and says so', async () => {
    const record = await profile({ impl: 'ts', io: 'call', profiler: 'v8' });
    const [only] = record.profiles;
    assert.equal(only!.profiler, 'v8');
    assert.match(only!.scope, /^JS only/);
    const stacks = foldedOf(only!);
    const kinds = new Set(stacks.flatMap(({ frames }) => frames.map(({ kind }) => kind)));
    assert.ok(kinds.has('javascript') && !kinds.has('kernel') && !kinds.has('native'));
    // Only what happened in the profiled windows counts, not the start of the program.
    assert.ok(totalWeight(stacks) / 1000 <= only!.profiledMs * 1.1);
    assert.equal(only!.overhead.pairs, 5);
  });

  test('a native server is refused with the reason', async () => {
    await assert.rejects(profile({ profiler: 'v8' }), /native server can be profiled with perf only/);
  });
});

describe('a flame trial that makes no sense', () => {
  const cases: { name: string; options: Parameters<typeof profile>[0]; says: RegExp }[] = [
    {
      name: 'idle datagram clients',
      options: { protocol: 'udp-echo', idle: 5 },
      says: /no connections that could idle/,
    },
    { name: 'many ports of TCP', options: { protocol: 'http', ports: 5 }, says: /--ports is for udp-echo/ },
  ];
  for (const { name, options, says } of cases)
    test(`is refused: ${name}`, () =>
      assert.rejects(profile({ ...options, impl: 'ts', profiler: 'v8' }), says));
});

describe('perf that is not there', () => {
  test('is named with what to install', () => {
    const path = process.env.PATH;
    process.env.PATH = '/nonexistent';
    try {
      assert.match(
        String(probePerf()),
        process.platform === 'linux' ? /perf is not installed.*apt/ : /Linux only/,
      );
    } finally {
      process.env.PATH = path;
    }
  });
});

describe('tools on demand', () => {
  test('say that the registry cannot be reached', () => {
    const cache = mkdtempSync(join(tmpdir(), 'flame-tools-'));
    folders.push(cache);
    process.env.npm_config_registry = 'http://127.0.0.1:9/';
    try {
      assert.throws(
        () => install({ name: '0x', packages: ['0x@6.0.0'] }, () => {}, cache),
        /0x could not be installed; is the npm registry reachable\? .*ECONNREFUSED/,
      );
    } finally {
      delete process.env.npm_config_registry;
    }
  });

  test('are not for native servers', async () => {
    const context = {
      site,
      folder: tmpdir(),
      connections: 1,
      durationMs: 1000,
      say: () => {},
    };
    const native = { impl: 'native', backend: 'epoll', io: 'batch', protocol: 'http' } as const;
    await assert.rejects(
      runTool('0x', native, context),
      /profiles Node\.js only: take --impl ts or --impl libuv/,
    );
  });
});
