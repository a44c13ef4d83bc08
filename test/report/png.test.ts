import assert from 'node:assert/strict';
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { it } from 'node:test';
import { inflateSync } from 'node:zlib';
import { writePngs } from '../../src/report/png.js';
import { profilesFolder, writeReport } from '../../src/report/write.js';
import { writeProfile } from '../support/flame.js';
import { runFolder } from '../support/run-folder.js';
import { idleRun } from '../support/samples.js';

/** Size and pixels of a PNG, as far as filters leave them: enough to tell an empty picture. */
function pngOf(bytes: Buffer) {
  assert.equal(bytes.toString('latin1', 1, 4), 'PNG');
  const data: Buffer[] = [];
  for (let at = 8; at < bytes.length; at += 12 + bytes.readUInt32BE(at)) {
    if (bytes.toString('latin1', at + 4, at + 8) === 'IDAT')
      data.push(bytes.subarray(at + 8, at + 8 + bytes.readUInt32BE(at)));
  }
  return { width: bytes.readUInt32BE(16), pixels: inflateSync(Buffer.concat(data)) };
}

it('every plot becomes a PNG of twice its size, texts included', (t) => {
  const folder = runFolder(t, idleRun({ trials: 3, impls: ['native'] }));
  writeProfile(join(profilesFolder(folder), 'a'));
  writeReport(folder);
  let files: string[];
  try {
    files = writePngs(folder, () => {});
  } catch (error) {
    if (!/registry reachable/.test((error as Error).message)) throw error;
    t.skip((error as Error).message);
    return;
  }
  const svgs = readdirSync(folder, { recursive: true }).filter((name) => `${name}`.endsWith('.svg'));
  assert.ok(svgs.length > 5);
  assert.deepEqual(
    files.map((file) => file.replace(/png$/, 'svg')).sort(),
    svgs.map((name) => join(folder, `${name}`)).sort(),
  );
  for (const file of files) {
    const svg = readFileSync(file.replace(/png$/, 'svg'), 'utf8');
    const { width, pixels } = pngOf(readFileSync(file));
    assert.equal(width, 2 * Number(/width="([\d.]+)"/.exec(svg)![1]), file);
    assert.ok(new Set(pixels).size > 30, `${file} is empty`);
  }
  // The same plot without its texts must be another picture, or the texts are not in it.
  const [first] = files;
  const before = readFileSync(first!);
  const path = first!.replace(/png$/, 'svg');
  writeFileSync(path, readFileSync(path, 'utf8').replace(/<text.*?<\/text>/gs, ''));
  writePngs(folder, () => {});
  assert.notDeepEqual(readFileSync(first!), before);
});
