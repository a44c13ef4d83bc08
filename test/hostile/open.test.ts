/** `open` before requests that mean harm: each gets an answer, nothing outside the run is shown, nothing is used up. */
import assert from 'node:assert/strict';
import { mkdirSync, readdirSync, symlinkSync, writeFileSync } from 'node:fs';
import type { Server } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { serveFolder } from '../../src/cli/commands/open.js';
import { freshFolder } from '../run/fake-run.js';

const secret = 'not for the browser';

/** Status line and body of a request written as given. */
function ask(port: number, path: string): Promise<string> {
  return new Promise((done, fail) => {
    let text = '';
    connect(port, '127.0.0.1')
      .on('error', fail)
      .on('data', (part) => {
        text += part;
      })
      .on('close', () => done(text))
      .write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n`);
  });
}

/** Asks for a large file and goes away with the first bytes. */
function abandon(port: number, path: string): Promise<void> {
  return new Promise((done) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('data', () => socket.destroy()).on('close', () => done());
    socket.write(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n\r\n`);
  });
}

const descriptors = () => readdirSync('/proc/self/fd').length;

describe('open', () => {
  let server: Server;
  let port: number;
  before(async () => {
    const folder = join(freshFolder(), 'run');
    mkdirSync(join(folder, 'plots'), { recursive: true });
    writeFileSync(join(dirname(folder), 'secret.txt'), secret);
    mkdirSync(join(dirname(folder), 'run-beside'));
    writeFileSync(join(dirname(folder), 'run-beside', 'secret.txt'), secret);
    writeFileSync(join(folder, 'report.html'), '<!doctype html>');
    writeFileSync(join(folder, 'a b %41.svg'), '<svg/>');
    writeFileSync(join(folder, 'large.csv'), 'x'.repeat(8e6));
    symlinkSync('loop', join(folder, 'loop'));
    symlinkSync('../secret.txt', join(folder, 'out.txt'));
    symlinkSync('..', join(folder, 'up'));
    symlinkSync('report.html', join(folder, 'inside.html'));
    symlinkSync('/etc', join(folder, 'etc'));
    server = await serveFolder(folder, 0);
    port = (server.address() as AddressInfo).port;
  });
  after(() => server.close());

  const cases: { path: string; status: number; what?: RegExp }[] = [
    { path: '/', status: 200, what: /content-type: text\/html; charset=utf-8.*<!doctype html>/is },
    { path: '/inside.html', status: 200, what: /<!doctype html>/ },
    { path: '/a%20b%20%2541.svg', status: 200, what: /content-type: image\/svg\+xml/i },
    { path: '/large.csv', status: 200, what: /content-type: text\/csv; charset=utf-8/i },
    { path: '/%00', status: 404 },
    { path: '/report.html%00.svg', status: 404 },
    { path: `/${'a'.repeat(3000)}`, status: 404 },
    { path: `/${'a/'.repeat(1500)}`, status: 404 },
    { path: '/loop', status: 404 },
    { path: '/out.txt', status: 404 },
    { path: '/up/secret.txt', status: 404 },
    { path: '/etc/passwd', status: 404 },
    { path: '/plots', status: 404 },
    { path: '/plots/', status: 404 },
    { path: '/none', status: 404 },
    { path: '/../secret.txt', status: 404 },
    { path: '/%2e%2e/secret.txt', status: 404 },
    { path: '/..%2fsecret.txt', status: 404 },
    { path: '/..%2frun-beside%2fsecret.txt', status: 404 },
    { path: '/%ff', status: 400 },
    { path: '//', status: 400 },
    { path: 'http://[', status: 400 },
  ];
  for (const { path, status, what = /./ } of cases) {
    it(`answers ${status} to ${path.slice(0, 40)}`, async () => {
      const answer = await ask(port, path);
      assert.match(answer, new RegExp(`^HTTP/1.1 ${status} `));
      assert.match(answer, what);
      assert.ok(!answer.includes(secret) && !answer.includes('root:'));
    });
  }

  it('keeps no descriptor of 300 abandoned downloads', async () => {
    await abandon(port, '/large.csv');
    const base = descriptors();
    for (let n = 0; n < 300; n++) await abandon(port, '/large.csv');
    // The server hears of the last ones a moment later.
    for (let tries = 0; descriptors() > base + 20 && tries < 100; tries++)
      await new Promise((next) => setTimeout(next, 50));
    assert.ok(descriptors() <= base + 20, `${descriptors()} descriptors, ${base} before`);
  });

  it('still answers', async () => assert.match(await ask(port, '/'), /^HTTP\/1.1 200 /));
});
