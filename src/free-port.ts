import { once } from 'node:events';
import { createServer } from 'node:net';

/** Below what systems give to connections that ask for no port, so that none takes it by chance before it is used. */
const [first, ports] = [10_240, 22_000];

/** A TCP port that was free a moment ago, for programs that cannot be asked for any. */
export async function freePort(address = '127.0.0.1'): Promise<number> {
  for (;;) {
    const port = first + Math.floor(Math.random() * ports);
    const server = createServer().listen(port, address);
    try {
      await once(server, 'listening');
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === 'EADDRINUSE') continue;
      throw error;
    }
    await new Promise((resolve) => server.close(resolve));
    return port;
  }
}
