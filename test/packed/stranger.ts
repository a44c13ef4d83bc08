/** Uses every export as somebody else's program does; scripts/packed-install.mjs compiles it beside an installed package. */
import assert from 'node:assert/strict';
import { createSocket } from 'node:dgram';
import { once } from 'node:events';
import { type DgramResult, dgramBenchmark } from 'dispatchbench/dgram-benchmark';
import server from 'dispatchbench/schemas/server-line' with { type: 'json' };

async function useDgramBenchmark(): Promise<void> {
  const socket = createSocket('udp4');
  socket.on('message', (message, { port, address }) => socket.send(message, port, address));
  socket.bind(0, '127.0.0.1');
  await once(socket, 'listening');
  const url = `127.0.0.1:${socket.address().port}`;
  const result: DgramResult = await dgramBenchmark({ url, engine: 'js', overallRate: 100, duration: 0.2 });
  socket.close();
  assert.ok(result.received > 0);
}

await useDgramBenchmark();
assert.equal(server.title, 'server-line');
console.log('every export works');
