/** What the two parsers of HTTP requests say of some bytes, cut somewhere: a row for each stop, all fields of the machine. */
import { HttpRequest, REJECTED } from '../../servers/http-request.js';
import { addon } from '../../src/addon.js';

export const { httpParse } = addon<{ httpParse(bytes: Uint8Array, cuts: number[]): number[][] }>();

export function typescriptParse(bytes: Uint8Array, cuts: readonly number[]): number[][] {
  const request = new HttpRequest();
  const rows: number[][] = [];
  let from = 0;
  for (const to of [...cuts, bytes.length]) {
    while (from < to) {
      const parsed = request.feed(bytes, from, to);
      const status = parsed === REJECTED ? request.status : 0;
      rows.push([parsed, request.taken - from, status, request.flags, request.bodyLeft, request.headBytes]);
      if (parsed === REJECTED) return rows;
      from = request.taken;
    }
  }
  return rows;
}
