/** io=call: every receive and every send is a crossing of its own. */
import { RECEIVE_WINDOW } from './io-desk.js';
import { CLOSED, type Io, type TcpServer } from './tcp-server.js';

export class CallIo implements Io {
  readonly #server: TcpServer;

  constructor(server: TcpServer) {
    this.#server = server;
  }

  serve(count: number): void {
    const { ready } = this.#server;
    for (let i = 0; i < count; i++) this.#serveOne(ready[i]!);
  }

  #serveOne(slot: number): void {
    const server = this.#server;
    const fd = server.descriptorOf(slot);
    const { desk, protocol, finished } = server;
    const offset = desk.receiveFrom;
    for (let reads = 1; ; reads++) {
      const length = desk.receive(fd, offset, RECEIVE_WINDOW);
      if (length <= 0) {
        server.receivedNothing(slot, length);
        return;
      }
      if (server.received(slot, offset, length)) {
        const { replyOffset, replyLength } = protocol;
        const result = desk.send(fd, replyOffset, replyLength);
        const goesOn = server.sent(slot, replyOffset, replyLength, result, protocol.replyCloses);
        protocol.recycle();
        if (!goesOn) return;
      } else if (server.phase[slot] === CLOSED) {
        return;
      }
      if (length < RECEIVE_WINDOW && finished[slot] === 0) {
        server.rearm(slot);
        return;
      }
      if (reads === server.reads) {
        server.budgetEnded(slot);
        return;
      }
    }
  }
}
