/** Servers that a gateway may find behind it: well-behaved, odd, slow and broken ones. */
import { once } from 'node:events';
import { createServer, type Server, type Socket } from 'node:net';

export interface Upstream {
  port: number;
  /** request heads it was sent */
  asked: string[];
  /** connections that are open now */
  open: Set<Socket>;
  close(): void;
}

/** Calls `reply` once a request's head has come on a connection. */
export async function upstream(reply: (socket: Socket, head: string) => void): Promise<Upstream> {
  const asked: string[] = [];
  const open = new Set<Socket>();
  const server: Server = createServer({ allowHalfOpen: true }, (socket) => {
    open.add(socket);
    socket.on('close', () => open.delete(socket));
    socket.on('error', () => {});
    socket.on('end', () => socket.end());
    let head = '';
    socket.on('data', (chunk) => {
      head += chunk.toString('latin1');
      if (!head.endsWith('\r\n\r\n')) return;
      asked.push(head);
      reply(socket, head);
      head = '';
    });
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as { port: number };
  const close = () => {
    for (const socket of open) socket.destroy();
    server.close();
  };
  return { port, asked, open, close };
}

/** A port of loopback that refuses connections. */
export async function deadPort(): Promise<number> {
  const { port, close } = await upstream(() => {});
  close();
  return port;
}

export const targetOf = (head: string): string => head.split(' ')[1]!;

/** Says what it was asked for, and keeps the connection, whatever the request says. */
export const echo = (socket: Socket, head: string): void => {
  const body = `you asked for ${targetOf(head)}`;
  socket.write(
    `HTTP/1.1 200 OK\r\nContent-Type: text/x-echo; charset=utf-8\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
  );
};
