/** The works of a device: the same on every engine that is here, called in each way, and held many times. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import type { CallsLine } from '../../src/contract/device.js';
import type { Machine } from '../../src/experiments/experiment.js';
import { experimentNamed, suites } from '../../src/experiments/registry.js';
import { foundRuntimes } from '../../src/gateways/parts.js';
import { runtimes } from '../../src/gateways/runtimes.js';
import { impossible } from '../../src/stage/limits.js';
import type { CallsTrial } from '../../src/trials/calls.js';
import { kindOf, type Measurement, metric } from '../../src/trials/registry.js';
import { carriedOut, circumstances } from './carried-out.js';
import { host, native, notBuilt } from './gateway-process.js';

const found = foundRuntimes();
const named = (name: string) => found.find((one) => one.name === name)!;
const figure = (id: Parameters<typeof metric>[0], measurements: Record<string, Measurement>) =>
  metric(id).of({ measurements, ...circumstances });
const sha256 = (of: string | Buffer) => createHash('sha256').update(of).digest('hex');

const requests = [
  { work: 'hello', argument: 'w\u00f6rld "quoted" \\ \t\u0001' },
  { work: 'sha256', argument: 'abc', amount: 3 },
  { work: 'sha256', argument: 'x'.repeat(119), amount: 1 },
  { work: 'network', argument: 'an image', amount: 2 },
  { work: 'network', argument: '' },
];
const chained = (text: string, times: number) => {
  let digest = createHash('sha256').update(text).digest();
  for (let i = 1; i < times; i++) digest = createHash('sha256').update(digest).digest();
  return digest.toString('hex');
};

describe('the module', () => {
  const input = requests.map((one) => `${JSON.stringify(one)}\n`).join('');
  const there = found.filter(({ once }) => once);
  const digests = new Map<string, string>();
  for (const { name, once, module } of there)
    it(`makes the same of requests on ${name}`, async () => {
      const { output } = await carriedOut({ kind: 'output', command: once!, module, input });
      assert.ok(output?.kind === 'output');
      assert.equal(output.ran.module.sha256, sha256(readFileSync(module)));
      digests.set(name, output.ran.output.sha256);
      assert.deepEqual(new Set(digests.values()).size, 1, [...digests].join(' '));
      assert.deepEqual(kindOf(output).gates('output', output, null), []);
    });

  const inNode = (text: string) => {
    const [program = '', ...args] = named('node').once!;
    return spawnSync(program, args, { input: text, encoding: 'utf8' });
  };
  const skip = named('node').reason || false;

  it('says what the works are said to be', { skip }, () => {
    const [hello, twice, block, ...networks] = inNode(input)
      .stdout.trimEnd()
      .split('\n')
      .map((line) => (JSON.parse(line) as { output: string }).output);
    assert.equal(hello, `hello, ${requests[0]!.argument}`);
    assert.deepEqual([twice, block], [chained('abc', 3), chained('x'.repeat(119), 1)]);
    // A class, and the bits of ten scores, of which it has the highest.
    for (const text of networks) {
      const [best, ...bits] = text.split(' ');
      const scores = bits.map((word) => Buffer.from(word, 'hex').readFloatBE());
      assert.equal(scores.length, 10);
      assert.equal(scores.indexOf(Math.max(...scores)), Number(best));
    }
    assert.notEqual(networks[0], networks[1]);
  });

  it('answers nothing where it is asked for what it has not', { skip }, () => {
    for (const text of [
      'x',
      '{}',
      '{"work":"hello"}',
      '{"work":"none","argument":""}',
      '{"work":"hello","argument":""',
    ]) {
      const { status, stdout } = inNode(`${text}\n`);
      assert.deepEqual([status, stdout], [1, ''], text);
    }
  });

  it('is told by an engine that fails, in one sentence', { skip }, async () => {
    const { once, module } = named('node');
    await assert.rejects(
      carriedOut({ kind: 'output', command: once!, module, input: 'x\n' }),
      /node ended with exit code 1: .*the module ended with exit code 1/,
    );
  });
});

const short = { argument: 16, amount: 1, rounds: 3, sliceUs: 200 } as const;
const spec = (runtime: string, more: Partial<CallsTrial> = {}): CallsTrial => ({
  kind: 'calls',
  command: named(runtime).calls!,
  row: 'json',
  work: 'hello',
  ...short,
  ...more,
});

describe('calls', () => {
  for (const [runtime, rows] of [
    ['host', ['bare', 'json', 'fresh', 'native-json']],
    ['node', ['bare', 'json', 'fresh']],
  ] as const)
    it(`of ${runtime}: each way makes the same of each work`, {
      skip: named(runtime).reason || false,
    }, async () => {
      for (const work of ['hello', 'sha256', 'network'] as const) {
        const outputs = new Set<string>();
        for (const row of rows) {
          const { calls } = await carriedOut(spec(runtime, { row, work }));
          assert.ok(calls?.kind === 'calls');
          outputs.add(calls.calls.output);
          const { ns } = calls.calls;
          for (const values of [ns.row, ns.bare, ns.nothing, ...(ns.native ? [ns.native] : [])])
            assert.equal(values.length, short.rounds);
          assert.equal(ns.native === null, runtime === 'node');
        }
        assert.equal(outputs.size, 1, work);
      }
    });

  const notThere = notBuilt;
  it('of a program that is asked for what it has not: one sentence', { skip: notThere }, () => {
    const [, ...node] = named('node').calls!;
    for (const [program, args, said] of [
      [host, ['calls', '--row', 'bare'], /gateway-host: say which module with --module FILE/],
      [host, ['calls', '--module', native], /cannot be used as a module/],
      [host, ['calls', '--work', 'sleep'], /--work is one of nothing, hello, sha256, network, not 'sleep'/],
      [process.execPath, [...node, '--row', 'native-json'], /--row is one of bare, json, fresh here/],
      [process.execPath, [...node, '--rounds', '-1'], /--rounds is a whole number/],
      [process.execPath, [...node, '--work', 'sleep'], /exports no function sleep/],
    ] as const) {
      const { status, stdout, stderr } = spawnSync(program, args, { encoding: 'utf8' });
      assert.notEqual(status, 0, args.join(' '));
      assert.equal(stdout, '');
      assert.match(stderr, said);
      assert.equal(stderr.trim().split('\n').length, 1);
    }
  });

  const measured = (ns: CallsLine['ns']): Record<string, Measurement> => {
    const digest = sha256('');
    const calls = { module: { sha256: digest, bytes: 1 }, output: digest, calls: 1, ns };
    return { calls: { kind: 'calls', calls, elapsedNs: 1 } };
  };

  it('cost what is not the work, and a share of it', () => {
    const one = measured({
      row: [9000, 10_000, 90_000],
      bare: [6100, 6100, 6100],
      nothing: [100, 100, 100],
      native: [4000, 4000, 4000],
    });
    assert.equal(figure('call-time', one), 10);
    assert.equal(figure('call-cost', one), 4);
    assert.equal(figure('call-share', one), 40);
    assert.equal(figure('call-over-native', one), 6);
    assert.equal(figure('module-slowdown', one), 1.5);
    const [gate] = kindOf(one.calls!).gates('calls', one.calls!, null);
    assert.equal(gate, undefined);
    const noisy = measured({ row: [1, 1, 2, 2, 2], bare: [1], nothing: [1], native: null });
    assert.equal(figure('call-over-native', noisy), null);
    assert.equal(figure('module-slowdown', noisy), null);
    assert.match(kindOf(noisy.calls!).gates('calls', noisy.calls!, null)[0]!.message, /2\.00 times/);
  });
});

describe('instances', () => {
  for (const name of ['host', 'process', 'ebpf'])
    it(`of ${name}: so many more take more`, { skip: named(name).reason || false }, async () => {
      const { instances } = await carriedOut({
        kind: 'instances',
        command: named(name).instances!,
        count: 8,
      });
      assert.ok(instances?.kind === 'instances');
      assert.equal(instances.instances.count, 8);
      // Against the first one of the same program: what others that run share with it changes between programs.
      const [each, all] = (['instance-memory', 'instances-memory'] as const).map(
        (id) => figure(id, { instances })!,
      );
      assert.ok(each! > 0 && all! > 8 * each!, `${each} ${all}`);
    });

  it('that do not stand are said in one sentence', { skip: named('process').reason || false }, async () => {
    const [program = '', script = ''] = named('process').instances!;
    await assert.rejects(
      carriedOut({ kind: 'instances', command: [program, script, '{"command":["false"]}'], count: 1 }),
      /false ended with exit code 1 before it stood/,
    );
  });
});

describe('cells', () => {
  const machine = (known: Machine['runtimes']): Machine => ({
    available: [],
    nodeBackend: 'epoll',
    descriptorLimit: 20_000,
    ...(known ? { runtimes: known } : {}),
  });
  const absent = runtimes.map(({ name }) => ({
    name,
    once: null,
    calls: null,
    instances: null,
    module: '',
    reason: 'there is no engine: get it',
  }));
  for (const id of suites['wasm-device']!.ids)
    it(`of ${id}: what is missing is impossible for its reason`, () => {
      const experiment = experimentNamed(id);
      for (const [here, why] of [
        [machine(absent), /there is no engine: get it/],
        [machine(undefined), /the host tells of no runtimes/],
      ] as const) {
        const settings = experiment.settings.parse(experiment.profile('quick', here));
        const cells = experiment.cells(settings, here);
        assert.ok(cells.length > 1);
        const needs = cells.map((levels) => {
          const trial = experiment.trial(levels, settings, here);
          return kindOf(trial).needs(trial);
        });
        const hosts = { backends: [], environment: { descriptorLimit: { hard: 20_000 } } };
        for (const one of needs)
          assert.match(impossible(one, { server: hosts, client: hosts } as never)!, why);
      }
    });
});
