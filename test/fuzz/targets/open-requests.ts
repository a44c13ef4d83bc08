/** Requests to `open`, as written by nobody's browser: each is answered or refused, and nothing outside the run is shown. */
import assert from 'node:assert/strict';
import { mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { type AddressInfo, connect } from 'node:net';
import { dirname, join } from 'node:path';
import { serveFolder } from '../../../src/cli/commands/open.js';
import { freshFolder } from '../../run/fake-run.js';
import type { Target } from '../engine.js';

const secret = 'not for the browser';

export async function target(): Promise<Target> {
  const folder = join(freshFolder(), 'run');
  mkdirSync(join(folder, 'plots'), { recursive: true });
  writeFileSync(join(dirname(folder), 'secret.txt'), secret);
  writeFileSync(join(folder, 'report.html'), '<!doctype html>');
  writeFileSync(join(folder, 'plots', 'a b.svg'), '<svg/>');
  symlinkSync('../secret.txt', join(folder, 'out.txt'));
  symlinkSync('..', join(folder, 'up'));
  symlinkSync('loop', join(folder, 'loop'));
  const server = await serveFolder(folder, 0);
  const { port } = server.address() as AddressInfo;

  /** All that comes back until the server closes, which it does at once when nothing more can come. */
  const ask = (bytes: Buffer, more = false): Promise<string> =>
    new Promise((done) => {
      let text = '';
      const socket = connect(port, '127.0.0.1');
      socket
        .on('error', () => {})
        .on('data', (part) => {
          text += part.toString('latin1');
        });
      socket.on('close', () => done(text));
      if (more) socket.write(bytes);
      else socket.end(bytes);
    });
  const request = (path: string, more = '') =>
    Buffer.from(`GET ${path} HTTP/1.1\r\nHost: localhost\r\n${more}\r\n`);

  return {
    seeds: [
      request('/'),
      request('/plots/a%20b.svg', 'Range: bytes=0-2\r\nIf-None-Match: "x"\r\n'),
      request('/up/secret.txt'),
      request('/..%2fsecret.txt'),
      request('/plots/../out.txt'),
      request('/loop/'),
    ],
    words: [
      'secret.txt',
      '../',
      '..%2f',
      '%2e%2e/',
      '%00',
      '//',
      '\\',
      'Host: localhost',
      'Range: bytes=',
      'report.html',
      'plots/',
      '?',
      '#',
      '%',
    ],
    longest: 4000,
    stepsPerByte: 200,
    async judge(input) {
      assert.doesNotMatch(await ask(input), new RegExp(secret));
      // Whatever that was: as a path it is answered.
      const path = input.toString('latin1').replace(/[^!-~]/g, '_');
      const answer = await ask(request(`/${path.slice(0, 2000)}`, 'Connection: close\r\n'), true);
      assert.match(answer, /^HTTP\/1\.1 (200|206|304|400|403|404|412|416) /);
      assert.doesNotMatch(answer, new RegExp(secret));
    },
    close: () => server.close(),
  };
}
