/** Images of guests: what their makers published is kept, and nothing else. */
import assert from 'node:assert/strict';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { digestIn, fetchImage } from '../../src/hosts/guest-fetch.js';
import { freshFolder } from '../run/fake-run.js';
import { dispatchbench } from '../support/command.js';

const image = Buffer.alloc(3 << 20, 'an image');
const digestOf = (algorithm: 'sha256' | 'sha512', bytes = image) =>
  createHash(algorithm).update(bytes).digest('hex');
const sha512 = digestOf('sha512');

/** What the makers' server answers, by path; a number is a status, `broken` ends in the middle. */
const pages: Record<string, string | Buffer | number | 'broken'> = {
  '/image.raw.xz': image,
  '/other.raw.xz': Buffer.concat([image, Buffer.from('!')]),
  '/half.raw.xz': 'broken',
  '/BSD': ['image', 'other', 'half', 'gone'].map((name) => `SHA512 (${name}.raw.xz) = ${sha512}`).join('\n'),
  '/GNU': `${digestOf('sha256')}  image.raw.xz\n`,
  '/short': 'SHA512 (image.raw.xz) = abcdef\n',
  '/long': Buffer.alloc(5 << 20, 'x'),
};

let at = '';
const server = createServer((request, response) => {
  const page = pages[request.url!] ?? 404;
  if (typeof page === 'number') return response.writeHead(page).end();
  if (page !== 'broken') return response.end(page);
  response.writeHead(200, { 'content-length': image.length });
  response.write(image.subarray(0, 1 << 20), () => response.destroy());
});
before(async () => {
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  at = `http://127.0.0.1:${(server.address() as { port: number }).port}`;
});
after(() => server.close());

const fetched = (
  file: string,
  digests: string,
  folder: string,
  digestAlgorithm: 'sha256' | 'sha512' = 'sha512',
) => fetchImage({ url: `${at}/${file}`, digests: `${at}/${digests}`, digestAlgorithm }, { folder });

test('an image is kept under its name, and the second time it is there', async () => {
  const folder = join(freshFolder(), 'images');
  const first = await fetched('image.raw.xz', 'BSD', folder);
  assert.deepEqual(first, { path: join(folder, 'image.raw.xz'), digest: sha512, fetched: true });
  assert.deepEqual(readFileSync(first.path), image);
  assert.deepEqual(await fetched('image.raw.xz', 'BSD', folder), { ...first, fetched: false });
  assert.equal((await fetched('image.raw.xz', 'GNU', folder, 'sha256')).fetched, false);
  assert.deepEqual(readdirSync(folder), ['image.raw.xz']);
});

test('one that was damaged meanwhile is fetched again', async () => {
  const folder = freshFolder();
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, 'image.raw.xz'), 'half of it');
  const { path, fetched: again } = await fetched('image.raw.xz', 'BSD', folder);
  assert.ok(again);
  assert.deepEqual(readFileSync(path), image);
});

const refusals: [string, string, string, RegExp][] = [
  ['a wrong digest', 'other.raw.xz', 'BSD', /other\.raw\.xz is not the file .* nothing of it was kept$/],
  ['a transfer that breaks off', 'half.raw.xz', 'BSD', /terminated|aborted|closed/],
  ['an image that is gone', 'gone.raw.xz', 'BSD', /gone\.raw\.xz cannot be fetched: it answers 404$/],
  ['a list that is gone', 'image.raw.xz', 'nowhere', /nowhere cannot be fetched: it answers 404$/],
  ['a list without it', 'image.raw.xz', 'GNU', /GNU has no sha512 of image\.raw\.xz$/],
  ['a digest that is too short', 'image.raw.xz', 'short', /short has no sha512/],
  ['a list that is none', 'image.raw.xz', 'long', /is longer than a list of digests/],
];
for (const [name, file, list, expected] of refusals) {
  test(`${name} is one sentence, and leaves no file`, async () => {
    const folder = join(freshFolder(), 'images');
    await assert.rejects(fetched(file, list, folder), expected);
    assert.deepEqual(existsSync(folder) ? readdirSync(folder) : [], []);
  });
}

test('a server that is not there is one sentence', async () => {
  const url = 'http://127.0.0.1:1/image.raw.xz';
  await assert.rejects(
    fetchImage({ url, digests: url, digestAlgorithm: 'sha256' }, { folder: freshFolder() }),
    /127\.0\.0\.1:1\/image\.raw\.xz cannot be fetched: /,
  );
});

test('an interrupted one leaves no file', async () => {
  const folder = join(freshFolder(), 'images');
  const abort = new AbortController();
  const all = { url: `${at}/image.raw.xz`, digests: `${at}/BSD`, digestAlgorithm: 'sha512' } as const;
  const progress = () => abort.abort(new Error('enough'));
  await assert.rejects(fetchImage(all, { folder, progress, signal: abort.signal }), /enough/);
  assert.deepEqual(readdirSync(folder), []);
});

test('lists of digests: both ways of writing them, of whole names alone', () => {
  const [one, other] = ['a'.repeat(64), 'B'.repeat(64)];
  const list = `# images\nSHA256 (x.img) = ${one}\n${other} *y.img\n${one}  not-x.img\n`;
  assert.equal(digestIn(list, 'x.img', 'sha256'), one);
  assert.equal(digestIn(list, 'y.img', 'sha256'), other.toLowerCase());
  assert.equal(digestIn(list, 'img', 'sha256'), null);
  assert.equal(digestIn(list, 'x.img', 'sha512'), null);
});

const commands: [string, RegExp][] = [
  ['nothing', /there is no guest 'nothing': known are linux, freebsd-14/],
  ['linux', /the image of linux cannot be fetched: made and booted by --host qemu-linux/],
  ['windows-server', /the image of windows-server cannot be fetched: install an evaluation/],
];
for (const [guest, expected] of commands) {
  test(`hosts fetch ${guest} says what there is to do`, () => {
    const { status, stderr } = dispatchbench('hosts', 'fetch', guest);
    assert.equal(status, 1);
    assert.match(stderr, expected);
  });
}
