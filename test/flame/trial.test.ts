import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, test } from 'node:test';
import { type FlameProfile, type FlameRecord, flameRecord } from '../../src/contract/flame.js';
import { type FlameOptions, runFlame } from '../../src/flame/flame.js';
import { writeDerived } from '../../src/flame/output.js';
import { probePerf } from '../../src/flame/perf.js';
import { parseFolded, totalWeight } from '../../src/flame/stacks.js';
import { descriptorLimit } from '../../src/hosts/linux-facts.js';
import { LocalHost } from '../../src/hosts/local.js';

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

const folders: string[] = [];
after(() => {
  for (const folder of folders) rmSync(folder, { recursive: true });
});

function profile(options: Partial<FlameOptions>): Promise<FlameRecord> {
  const folder = mkdtempSync(join(tmpdir(), 'flame-trial-'));
  folders.push(folder);
  return runFlame(
    {
      impl: 'native',
      backend: 'epoll',
      io: 'batch',
      protocol: 'tcp-echo',
      idle: 0,
      connections: 50,
      durationMs: 1500,
      frequencyHz: 499,
      profiler: 'perf',
      diff: null,
      folder,
      ...options,
    },
    new LocalHost(),
    () => {},
  );
}

/** Share of the samples in which the server was inside the kernel's code of select, whatever function was the leaf. */
const selectShare = ({ families }: FlameProfile) =>
  families.find(({ name }) => name === 'select scan')?.share ?? 0;

describe('flame trial with perf', { skip }, () => {
  test('at 10 000 idle connections the widest leaf family of select is its scan, and epoll has none', async () => {
    const record = await profile({ backend: 'select', diff: 'epoll', idle });
    const folder = folders.at(-1)!;
    const [select, epoll] = record.profiles as [FlameProfile, FlameProfile];
    assert.equal(select.families[0]!.name, 'select scan');
    assert.ok(selectShare(select) > 0.5, `select scans in ${selectShare(select)} of the samples`);
    assert.equal(selectShare(epoll), 0);

    flameRecord.parse(JSON.parse(readFileSync(join(folder, 'flame.json'), 'utf8')));
    const { folded, svg, speedscope } = select.files;
    const derived = Object.values(record.difference!.files).concat(record.page, svg, speedscope);
    const written = derived.map((file) => readFileSync(join(folder, file), 'utf8'));
    for (const file of derived) rmSync(join(folder, file));
    writeDerived(folder);
    assert.deepEqual(
      derived.map((file) => readFileSync(join(folder, file), 'utf8')),
      written,
    );
    const stacks = parseFolded(readFileSync(join(folder, folded), 'utf8'));
    assert.equal(totalWeight(stacks), select.samples);
    assert.equal(select.server.backend, 'select');
    assert.ok(select.events.length > 0);
    assert.ok(select.requests.profiled > 0 && select.requests.unprofiled > 0);
    assert.ok(select.overhead.pairs >= 5 && select.overhead.rate !== null);
  });
});
