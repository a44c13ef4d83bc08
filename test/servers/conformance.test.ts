/** One table of cases for every server this system can run: what a client sees, and what the server says it did. */
import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { echoCases, httpCases, text } from './cases.js';
import { connected, eventually, exchange, roundTrip } from './client.js';
import { engineKinds, kinds, nameOf, withServer, workerKinds } from './table.js';

/** What each case brings and counts, made once for all servers: a pipeline has thousands of replies. */
const httpAnswers = httpCases.map(([name, pieces, reply, ends]) => {
  const all = Buffer.concat(reply);
  const counted = (pattern: RegExp) => reply.filter((bytes) => pattern.test(bytes.toString('latin1'))).length;
  return { name, pieces, all, ends, requests: counted(/ 200 /), rejected: counted(/ [45]\d\d /) };
});

for (const kind of [...kinds, ...engineKinds, ...workerKinds]) {
  describe(nameOf(kind), () => {
    test('tcp-echo: every byte comes back; the books balance', async () => {
      await withServer(kind, 'tcp-echo', async (port, server, hello) => {
        assert.equal(hello.impl, kind.impl);
        assert.equal(hello.backend, kind.backend);
        assert.equal(hello.io, kind.io ?? null);
        assert.equal(hello.protocol, 'tcp-echo');
        assert.equal(hello.pid, server.child.pid);

        let sent = 0;
        for (const [name, pieces, options] of echoCases) {
          const all = Buffer.concat(pieces);
          const { bytes } = await exchange(
            port,
            pieces,
            options?.finish ? options : { ...options, expect: all.length },
          );
          assert.ok(
            bytes.equals(all),
            `${name}: ${bytes.length} bytes came back of ${all.length}, or other ones`,
          );
          sent += all.length;
        }
        // Gone in the middle of a conversation, with FIN and with RST.
        const resetting = await connected(port);
        await roundTrip(resetting, text('x'));
        resetting.resetAndDestroy();
        const standing = await connected(port);
        await roundTrip(standing, text('y'));

        const snapshot = await eventually(
          () => server.snapshot(),
          ({ connections }) => connections === 1,
        );
        assert.equal(snapshot.connections, 1);
        assert.equal(snapshot.accepted, echoCases.length + 2);
        assert.equal(snapshot.closed, echoCases.length + 1);
        assert.equal(snapshot.bytesIn, sent + 2);
        assert.equal(snapshot.bytesOut, sent + 2);
        assert.equal(snapshot.rejected, 0);
        standing.destroy();
        const farewell = await server.stop();
        assert.equal(farewell.reason, 'stop');
        assert.equal(farewell.accepted, farewell.closed + farewell.connections);
      });
    });

    test('http: equal answers to everything', async () => {
      await withServer(kind, 'http', async (port, server) => {
        for (const { name, pieces, all, ends } of httpAnswers) {
          const got = await exchange(port, pieces, {
            separate: pieces.length > 1,
            ...(ends ? {} : { expect: all.length }),
          });
          // In words only where they differ: some are megabytes.
          if (!got.bytes.equals(all))
            assert.equal(got.bytes.toString('latin1'), all.toString('latin1'), name);
          assert.equal(got.ended, ends ? 'end' : 'length', name);
        }
        const snapshot = await server.snapshot();
        const sum = (figure: 'requests' | 'rejected') =>
          httpAnswers.reduce((total, answer) => total + answer[figure], 0);
        assert.equal(snapshot.requests, sum('requests'));
        assert.equal(snapshot.rejected, sum('rejected'));
        process.kill(server.child.pid!, 'SIGTERM');
        const farewell = await server.farewell();
        assert.equal(farewell.reason, 'signal');
        assert.ok(farewell.wallNs > 0);
      });
    });
  });
}
