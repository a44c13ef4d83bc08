/** What a client may send to any server, and what has to come back. */
import { randomBytes } from 'node:crypto';
import { responses } from '../../servers/http-response.js';
import type { exchange } from './client.js';

const [ok, okKeepAlive, okClose, headOk] = responses as [Buffer, Buffer, Buffer, Buffer];
export const text = (value: string) => Buffer.from(value, 'latin1');
const get = 'GET / HTTP/1.1\r\nHost: x\r\n\r\n';

/** What is sent, and how; the same comes back. */
export const echoCases: [name: string, pieces: Buffer[], options: Parameters<typeof exchange>[2]][] = [
  ['one byte', [text('x')], {}],
  ['a small message', [text('hello, world\n')], {}],
  ['fragments', [...text('fragmented')].map((byte) => Buffer.of(byte)), { separate: true }],
  ['exactly one window', [randomBytes(65536)], {}],
  ['one window and a byte', [randomBytes(65537)], {}],
  ['a megabyte', [randomBytes(1 << 20)], {}],
  ['12 MiB to a slow reader', [randomBytes(12 << 20)], { slowReader: true }],
  ['half-close after a megabyte', [randomBytes(1 << 20)], { finish: true }],
  ['half-close by a slow reader', [randomBytes(12 << 20)], { finish: true, slowReader: true }],
];

/** What is sent, what comes back, and whether the connection ends then. */
export const httpCases: [name: string, pieces: Buffer[], reply: Buffer[], ends: boolean][] = [
  ['GET', [text(get)], [ok], false],
  ['GET byte by byte', [...text(get)].map((byte) => Buffer.of(byte)), [ok], false],
  ['a pipeline of 500', [text(get.repeat(500))], new Array(500).fill(ok), false],
  ['a pipeline of 20 000', [text(get.repeat(20_000))], new Array(20_000).fill(ok), false],
  ['HEAD', [text('HEAD / HTTP/1.1\r\nHost: x\r\n\r\n')], [headOk], false],
  [
    'POST',
    [text('POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhello'), text(get)],
    [ok, ok],
    false,
  ],
  [
    'a large body',
    [text('PUT /a HTTP/1.1\r\nhost:\r\ncontent-length: 300000\r\n\r\n'), Buffer.alloc(300_000)],
    [ok],
    false,
  ],
  ['HTTP/1.0', [text('GET / HTTP/1.0\r\n\r\n')], [okClose], true],
  ['HTTP/1.0 keep-alive', [text('GET / HTTP/1.0\r\nConnection: Keep-Alive\r\n\r\n')], [okKeepAlive], false],
  [
    'Connection: close',
    [text(`GET / HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n${get}`)],
    [okClose],
    true,
  ],
  [
    'Expect: 100-continue',
    [text('POST / HTTP/1.1\r\nHost: x\r\nExpect: 100-continue\r\nContent-Length: 2\r\n\r\n'), text('ok')],
    [text('HTTP/1.1 100 Continue\r\n\r\n'), ok],
    false,
  ],
  ['no Host', [text('GET / HTTP/1.1\r\n\r\n')], [refusal('400 Bad Request')], true],
  ['garbage', [Buffer.of(0, 255, 13, 10, 7)], [refusal('400 Bad Request')], true],
  ['a request, then garbage', [text(`${get}\u0000`)], [ok, refusal('400 Bad Request')], true],
  [
    'chunked',
    [text('POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n')],
    [refusal('501 Not Implemented')],
    true,
  ],
  ['CONNECT', [text('CONNECT x:80 HTTP/1.1\r\nHost: x\r\n\r\n')], [refusal('501 Not Implemented')], true],
  [
    'HTTP/2.0',
    [text('GET / HTTP/2.0\r\nHost: x\r\n\r\n')],
    [refusal('505 HTTP Version Not Supported')],
    true,
  ],
  [
    'Expect: magic',
    [text('GET / HTTP/1.1\r\nHost: x\r\nExpect: magic\r\n\r\n')],
    [refusal('417 Expectation Failed')],
    true,
  ],
  [
    'a head of 8193 bytes',
    [text(`GET /${'a'.repeat(8193)} HTTP/1.1\r\nHost: x\r\n\r\n`)],
    [refusal('431 Request Header Fields Too Large')],
    true,
  ],
];

function refusal(line: string): Buffer {
  return text(`HTTP/1.1 ${line}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`);
}
