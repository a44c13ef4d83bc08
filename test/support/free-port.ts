/** A port for a program that has to be told one, before it runs. */
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below those that systems give to whoever asks for any: other tests get theirs there, and one may answer a datagram. */
const [lowest, highest] = [10_000, 30_000];

async function isFree(port: number): Promise<boolean> {
  const [stream, datagrams] = [createServer(), createSocket('udp4')];
  try {
    await Promise.all([
      once(stream.listen(port, '127.0.0.1'), 'listening'),
      once(datagrams.bind(port, '127.0.0.1'), 'listening'),
    ]);
    return true;
  } catch {
    return false;
  } finally {
    if (stream.listening) await new Promise((resolve) => stream.close(resolve));
    datagrams.close();
  }
}

/** A port that nobody has at the moment, of streams and of datagrams. */
export async function freePort(): Promise<number> {
  for (;;) {
    const port = lowest + Math.floor(Math.random() * (highest - lowest));
    if (await isFree(port)) return port;
  }
}
