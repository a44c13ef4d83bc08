// A server under test as the scripts drive it that look for faults of memory and threads: started, asked, visited, ended.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { connect } from 'node:net';
import { createInterface } from 'node:readline';

/**
 * Runs `body({ port, snapshot })` against a server with a control channel, and ends it by the end of that.
 * @throws Error when it ends otherwise than well
 */
export async function serving(path, args, env, body) {
  const label = [path.split('/').at(-1), ...args].join(' ');
  const child = spawn(path, args, { stdio: ['pipe', 'pipe', 'inherit'], env });
  const exit = once(child, 'exit');
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]();
  /** The next line that tells of this; others may come before it. */
  const told = async (event) => {
    for (;;) {
      const { done, value } = await lines.next();
      if (done) throw new Error(`${label}: ended before its ${event}`);
      const line = JSON.parse(value);
      if (line.event === event) return line;
    }
  };
  try {
    await body({
      port: (await told('hello')).port,
      snapshot() {
        child.stdin.write('snapshot s\n');
        return told('snapshot');
      },
    });
    child.stdin.end();
    const [code, signal] = await exit;
    if (code !== 0) throw new Error(`${label}: exit ${code ?? signal}`);
  } finally {
    child.kill('SIGKILL');
  }
}

/** Asks once on each of so many connections, and closes every other one. @returns those that stand */
export async function visit(port, connections, between = async () => {}) {
  const left = [];
  for (let i = 0; i < connections; i++) {
    const socket = connect(port, '127.0.0.1');
    socket.on('error', () => {});
    await once(socket, 'connect');
    socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await once(socket, 'data');
    if (i % 2 === 0) socket.destroy();
    else left.push(socket);
    await between(i);
  }
  return left;
}
