/** Clients that other people wrote take our HTTP answers. */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { kinds, nameOf, oneOfEach, withServer } from './table.js';

/** Asynchronous, because the servers' lines are read by this process. */
async function output(command: string, args: string[]): Promise<string> {
  const { execFile } = await import('node:child_process');
  return new Promise((resolve, reject) => {
    execFile(command, args, (error, stdout, stderr) => (error ? reject(error) : resolve(stdout + stderr)));
  });
}

const clients: [
  name: string,
  args: (port: number) => string[],
  check: (text: string, label: string) => void,
][] = [
  [
    'curl',
    (port) => ['-s', '-i', `http://127.0.0.1:${port}/a`, `http://127.0.0.1:${port}/b`],
    (text, label) => assert.equal(text.match(/^HTTP\/1\.1 200 OK\r$/gm)?.length, 2, label),
  ],
  [
    'wrk',
    (port) => ['-t1', '-c20', '-d1s', `http://127.0.0.1:${port}/`],
    (text, label) => {
      assert.doesNotMatch(text, /Non-2xx|Socket errors/, label);
      assert.ok(Number(text.match(/(\d+) requests in/)?.[1]) > 100, `${label}: ${text}`);
    },
  ],
  [
    'httperf',
    (port) => [
      '--hog',
      '--server=127.0.0.1',
      `--port=${port}`,
      '--num-conns=20',
      '--num-calls=10',
      '--timeout=5',
    ],
    (text, label) => {
      assert.match(text, /Reply status: 1xx=0 2xx=200 3xx=0 4xx=0 5xx=0/, label);
      assert.match(text, /Errors: total 0/, label);
    },
  ],
];

for (const [name, args, check] of clients) {
  const missing = spawnSync(name, ['--version']).error ? `${name} is not installed` : false;
  test(`${name} takes the answers of every implementation`, { skip: missing }, async () => {
    const chosen = name === 'curl' ? kinds : oneOfEach;
    for (const kind of chosen) {
      await withServer(kind, 'http', async (port) => check(await output(name, args(port)), nameOf(kind)));
    }
  });
}
