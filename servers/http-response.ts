/** Every answer the HTTP servers give; native/servers/http_response.h has the same bytes. */
import { HEAD_METHOD, type HttpRequest, VERSION_1_0 } from './http-request.js';

const body = 'dispatchbench\n';
const ok = (connection: string): string =>
  `HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nContent-Length: ${body.length}\r\n${connection}\r\n`;
const heads = [ok(''), ok('Connection: keep-alive\r\n'), ok('Connection: close\r\n')];

const refusals: readonly (readonly [number, string])[] = [
  [400, 'Bad Request'],
  [417, 'Expectation Failed'],
  [431, 'Request Header Fields Too Large'],
  [501, 'Not Implemented'],
  [505, 'HTTP Version Not Supported'],
];

/** All texts; the functions below return indices into it. */
export const responses: readonly Buffer[] = [
  ...heads.map((head) => head + body),
  ...heads,
  'HTTP/1.1 100 Continue\r\n\r\n',
  ...refusals.map(
    ([status, reason]) => `HTTP/1.1 ${status} ${reason}\r\nContent-Length: 0\r\nConnection: close\r\n\r\n`,
  ),
].map((text) => Buffer.from(text));

export const CONTINUE = 2 * heads.length;

/** The answer to a request just completed. */
export function answerTo(request: HttpRequest): number {
  // HTTP/1.1 keeps connections without saying so; HTTP/1.0 has to be told.
  const kind = !request.keepsAlive ? 2 : (request.flags & VERSION_1_0) !== 0 ? 1 : 0;
  return (request.flags & HEAD_METHOD) !== 0 ? heads.length + kind : kind;
}

/** The answer to a request that was rejected with `status`. */
export function refusalOf(status: number): number {
  return CONTINUE + 1 + refusals.findIndex(([known]) => known === status);
}
