import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { referenceCurves } from '../../src/analysis/reference/curves.js';
import { gatewayLatency, gatewayThroughput } from '../../src/analysis/reference/gateways-2026.js';
import { impossible } from '../../src/analysis/reference/plausibility.js';
import { transfers2025 } from '../../src/analysis/reference/transfers-2025.js';

describe('reference data', () => {
  it('holds what the sources say of their own tables', () => {
    const { hello, compute } = gatewayThroughput as Record<'hello' | 'compute', Record<string, number[]>>;
    const at100 = (rates: Record<string, number[]>, variant: string) => rates[variant]![2]!;
    assert.equal(Math.max(...hello.native_local!), 22_745);
    const gap = 1 - at100(compute, 'wasm_host_wasmtime_embedded') / at100(compute, 'native_local');
    assert.equal((100 * gap).toFixed(1), '3.7');
    const cold = gatewayLatency['cold-start'];
    assert.equal((cold.native_docker.p50 / cold.native_local.p50).toFixed(1), '17.8');
  });

  it('names the testbed of every curve, in ascending x', () => {
    assert.equal(referenceCurves.length, 21);
    for (const { testbed, points } of referenceCurves) {
      assert.match(testbed, /seed \d{3}, \d{4}/);
      assert.ok(points.every(({ x }, i) => i === 0 || x > points[i - 1]!.x));
    }
  });

  it('flags rates that no machine reaches, and only those', () => {
    const flagged = transfers2025.filter((rate) => impossible(rate)).map(({ what }) => what);
    assert.ok(flagged.includes('AMST zero-copy, 16 MB'));
    assert.ok(flagged.includes('AMST, 1 stream, TCP 64 KB'));
    const sound = { ...transfers2025[0]!, bytesPerSecond: 12e9 };
    assert.equal(impossible(sound), null);
    assert.match(impossible(sound, 8e9)!, /memcpy rate measured here/);
  });
});
