/** Verdicts on claims about Wasm on devices, from cells whose truth is known. */
import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { Cell } from '../../src/analysis/cells.js';
import { verdictOf } from '../../src/analysis/verdicts.js';
import { claims } from '../../src/claims/claims.js';
import type { CellLevels } from '../../src/contract/sample.js';

const claim = (id: string) => claims.find((one) => one.id === id)!;

const local = { name: 'local', kernel: 'Linux 6.1.0', executionClass: 'native' };
const guest = { name: 'qemu-linux', kernel: 'Linux 6.1.0', executionClass: 'emulated' };

/** Five trials, each in a block of its own, whose figures scatter by half a percent. */
function cell(experiment: string, host: typeof local, levels: CellLevels, of: (by: number) => object): Cell {
  const trials = [-2, 1, 0, 2, -1].map((step, block) => {
    const measurement = of(1 + step / 400) as { kind: string };
    return { block, measurements: { [measurement.kind]: measurement } };
  });
  const all = { backend: null, io: null, ...levels };
  const key = `${host.name} ${JSON.stringify(all)}`;
  return { experiment, levels: all, host, key, trials, excluded: [] } as unknown as Cell;
}

/** @param over microseconds over native, of the ways to call */
function called(
  work: string,
  size: { argument: number; amount: number },
  over: Record<string, number>,
): Cell[] {
  return Object.entries(over).map(([row, us]) =>
    cell('wasm-calls', local, { impl: 'host', row, work, ...size }, (by) => ({
      kind: 'calls',
      calls: { ns: { row: [1000 + us * by * 1000], bare: [1000], nothing: [10], native: [1000] } },
    })),
  );
}
const hello = (argument: number, over: Record<string, number>) =>
  called('hello', { argument, amount: 1 }, over);
const digest = (amount: number, over: Record<string, number>) =>
  called('sha256', { argument: 64, amount }, over);

describe('claims about Wasm on devices', () => {
  it('W1: constant is the same at both ends of argument and work, by the bridge of the source', () => {
    const ends = (far: number, further: number, fresh: number) => [
      ...hello(16, { json: 200, fresh: 10 }),
      ...hello(65_536, { json: far, fresh }),
      ...digest(1, { json: 200, fresh: 10 }),
      ...digest(20_000, { json: further, fresh }),
    ];
    const verdict = (...given: [number, number, number]) => verdictOf(claim('W1'), ends(...given)).verdict;
    assert.equal(verdict(220, 210, 10), 'supported');
    assert.equal(verdict(220, 210, 1000), 'supported');
    assert.equal(verdict(900, 210, 10), 'contradicted');
    assert.equal(verdict(220, 5000, 10), 'contradicted');
    const short = verdictOf(claim('W1'), [...hello(16, { json: 1 }), ...hello(1024, { json: 1 })]);
    assert.equal(short.verdict, 'not tested');
    assert.match(short.missing!, /argument 65536 or more/);
  });

  it('W4: what one more takes is the growth, whatever stood before, and each kind has its own range', () => {
    const held = (impl: string, base: number, each: number) =>
      [1, 16, 64].map((instances) =>
        cell('wasm-memory', local, { impl, instances }, (by) => ({
          kind: 'instances',
          instances: { after: { pssBytes: (base + each * instances) * by * 1024 } },
        })),
      );
    const run = (container: number) => [
      ...held('host', 9000, 2048),
      ...held('container', 90_000, container),
      ...held('ebpf', 0, 512),
      ...held('process', 100, 100),
    ];
    const [inside, below] = [run(100 * 1024), run(8000)].map((cells) => verdictOf(claim('W4'), cells));
    assert.equal(inside!.verdict, 'supported');
    assert.deepEqual(
      inside!.evidence.map(({ subject, estimate }) => [subject, Math.round(estimate / 100)]),
      [
        ['host', 20],
        ['container', 1024],
        ['ebpf', 5],
      ],
    );
    assert.equal(below!.verdict, 'contradicted');
    const without = verdictOf(claim('W4'), [...held('host', 0, 2048), ...held('ebpf', 0, 512)]);
    assert.deepEqual([without.verdict, /container/.test(without.missing!)], ['inconclusive', true]);
  });

  const ran = (host: typeof local, impl: string, written: string, module = 'a'.repeat(64)) =>
    cell('wasm-everywhere', host, { impl }, () => ({
      kind: 'output',
      ran: { module: { sha256: module, bytes: 1 }, output: { sha256: written, bytes: 1 }, elapsedNs: 1 },
    }));
  const [good, bad] = ['b', 'c'].map((digit) => digit.repeat(64)) as [string, string];

  it('W3: one engine or host that writes something else contradicts, or that had another module', () => {
    const most = [ran(local, 'host', good), ran(local, 'node', good)];
    const all = verdictOf(claim('W3'), [...most, ran(guest, 'node', good)]);
    assert.equal(all.verdict, 'supported');
    assert.deepEqual(
      all.evidence.map(({ subject, n, note }) => [subject, n, note]),
      [0, 1].flatMap(() => [
        ['host · local', 5, null],
        ['node · local', 5, null],
        ['node · qemu-linux', 5, 'host of class emulated'],
      ]),
    );
    const other = verdictOf(claim('W3'), [...most, ran(guest, 'node', bad)]);
    assert.equal(other.verdict, 'contradicted');
    assert.deepEqual(
      other.evidence.filter(({ outcome }) => outcome !== 'supported').map(({ subject }) => subject),
      ['node · qemu-linux'],
    );
    assert.equal(verdictOf(claim('W3'), [...most, ran(guest, 'node', good, bad)]).verdict, 'contradicted');
    const alone = verdictOf(claim('W3'), [ran(local, 'node', good)]);
    assert.deepEqual([alone.verdict, /two usable cells/.test(alone.missing!)], ['not tested', true]);
  });
});
