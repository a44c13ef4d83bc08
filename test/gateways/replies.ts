/** Requests as bytes, and the replies to them as a client sees them. */
import { exchange } from '../servers/client.js';

export interface Reply {
  status: number;
  /** by lower-case name */
  fields: Map<string, string>;
  body: Buffer;
}

export const text = (value: string) => Buffer.from(value, 'latin1');

export const requestOf = (target: string, { method = 'GET', fields = '', version = '1.1' } = {}): Buffer =>
  text(`${method} ${target} HTTP/${version}\r\nHost: x\r\n${fields}\r\n`);

/** The replies that `bytes` are made of, none of them without Content-Length. @throws Error on anything else */
export function repliesIn(bytes: Buffer, { headOnly = false } = {}): Reply[] {
  const replies: Reply[] = [];
  let rest = bytes;
  while (rest.length > 0) {
    const end = rest.indexOf('\r\n\r\n');
    const [first, ...lines] = rest.toString('latin1', 0, Math.max(end, 0)).split('\r\n');
    const [, code] = first!.match(/^HTTP\/1\.1 (\d\d\d) /) ?? [];
    if (code === undefined) throw new Error(`no reply: ${rest.toString('latin1', 0, 200)}`);
    const fields = new Map(
      lines.map((line) => {
        const colon = line.indexOf(':');
        return [line.slice(0, colon).toLowerCase(), line.slice(colon + 1).trim()] as const;
      }),
    );
    const length = headOnly ? 0 : Number(fields.get('content-length'));
    const body = rest.subarray(end + 4, end + 4 + length);
    if (body.length !== length) throw new Error(`${body.length} bytes of a body of ${length}`);
    replies.push({ status: Number(code), fields, body });
    rest = rest.subarray(end + 4 + length);
  }
  return replies;
}

/** Asks on a connection of its own, which the gateway is to close after the reply. */
export async function ask(
  port: number,
  target: string,
  options: Parameters<typeof requestOf>[1] = {},
): Promise<Reply> {
  const fields = `${options.fields ?? ''}Connection: close\r\n`;
  const { bytes, ended } = await exchange(port, [requestOf(target, { ...options, fields })]);
  const [reply, ...more] = repliesIn(bytes, { headOnly: options.method === 'HEAD' });
  if (ended !== 'end' || reply === undefined || more.length > 0) {
    throw new Error(`${target}: ${more.length} replies too many, ended by ${ended}: ${bytes}`);
  }
  return reply;
}
