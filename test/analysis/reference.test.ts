import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { slowed } from '../../bench/slowed.js';
import { referenceCurves } from '../../src/analysis/reference/curves.js';
import { gatewayThroughput, publishedGateways } from '../../src/analysis/reference/gateways-2026.js';
import { impossible, impossibleWork } from '../../src/analysis/reference/plausibility.js';
import { transfers2025 } from '../../src/analysis/reference/transfers-2025.js';
import { validityNotices } from '../../src/analysis/validity.js';
import { memoryCopy } from '../../src/contract/host.js';
import { blockFor, measureMemoryCopy } from '../../src/hosts/memory-copy.js';
import { kindOf, type MeasurementOf } from '../../src/trials/registry.js';
import { measured } from '../../src/trials/sample.js';
import { idleRun, runInfo } from '../support/samples.js';

describe('reference data', () => {
  it('holds what the sources say of their own tables', () => {
    const { hello, compute } = gatewayThroughput as Record<'hello' | 'compute', Record<string, number[]>>;
    const at100 = (rates: Record<string, number[]>, variant: string) => rates[variant]![2]!;
    assert.equal(Math.max(...hello.native_local!), 22_745);
    const gap = 1 - at100(compute, 'wasm_host_wasmtime_embedded') / at100(compute, 'native_local');
    assert.equal((100 * gap).toFixed(1), '3.7');
    const { figures: cold } = publishedGateways.find(({ metric }) => metric === 'first-reply')!;
    assert.equal((cold.native_docker / cold.native_local).toFixed(1), '17.8');
  });

  it('names the testbed of every curve, in ascending x', () => {
    assert.equal(referenceCurves.length, 21);
    for (const { name, testbed, points } of referenceCurves) {
      assert.match(name, /\(20\d\d\)/);
      assert.ok(testbed.length > 20);
      assert.ok(points.every(({ x }, i) => i === 0 || x > points[i - 1]!.x));
    }
  });

  it('flags rates that no machine reaches, and only those', () => {
    const flagged = transfers2025.filter((rate) => impossible(rate)).map(({ what }) => what);
    assert.deepEqual(
      flagged,
      transfers2025.map(({ what }) => what),
    );
    const sound = { ...transfers2025[0]!, bytesPerSecond: 12e9 };
    assert.equal(impossible(sound), null);
    assert.match(impossible(sound, 8e9)!, /memcpy rate measured here/);
  });
});

describe('figures of our own', () => {
  const [sample] = idleRun({ trials: 1, impls: ['native'], backends: ['epoll'], idle: [0] });
  const closed = measured(sample!, 'closed', 'load')!;
  const limits = { serverCpus: 1, vcpus: 2, copyBytesPerSecond: 5e9 };
  const moved = (bytes: number) => ({ ...closed, load: { ...closed.load, bytesIn: bytes, bytesOut: 0 } });
  const cases = [
    { name: 'as they are', window: closed, says: null },
    { name: 'as fast as memory', window: moved(5e9), says: null },
    {
      name: 'faster than all CPUs can copy',
      window: moved(12e9),
      says: /12 GB\/s of payload exceed 5 GB\/s/,
    },
    {
      name: 'with more CPU time than there is',
      window: measured(slowed(sample!, 1.5), 'closed', 'load')!,
      says: /used 1\.50 s of CPU time in 1\.00 s on 1 CPU$/,
    },
  ];
  for (const { name, window, says } of cases) {
    it(`${name} are ${says ? 'impossible' : 'possible'}`, () => {
      const reason = impossibleWork(kindOf(window).served(window)!, limits);
      if (says) assert.match(reason!, says);
      else assert.equal(reason, null);
    });
  }

  it('are flagged in the report when they are impossible', () => {
    const run = runInfo();
    run.hosts[sample!.host.name]!.memoryCopy.bytesPerSecond = 5e9;
    const said = (window: MeasurementOf<'load'>) =>
      validityNotices(run, [{ ...sample!, measurements: { closed: window } }]).some(
        ({ level, text }) => level === 'serious' && text.includes('cannot be true of any machine'),
      );
    assert.deepEqual([said(closed), said(moved(12e9))], [false, true]);
  });
});

describe('memcpy rate', () => {
  it('is measured with its conditions', async () => {
    const { bytesPerSecond, ...conditions } = memoryCopy.parse(await measureMemoryCopy(1 << 20, 1 << 22));
    assert.deepEqual(conditions, { copies: 5, blockBytes: 1 << 22, lastLevelCacheBytes: 1 << 20 });
    assert.ok(bytesPerSecond > 1e7 && bytesPerSecond < 1e13, `${bytesPerSecond}`);
  });

  it('takes a block beyond the cache, within reason', () => {
    const mebibyte = 1 << 20;
    assert.deepEqual(
      [null, 2 * mebibyte, 30 * mebibyte, 480 * mebibyte].map((cache) => blockFor(cache) / mebibyte),
      [32, 32, 60, 128],
    );
  });
});
