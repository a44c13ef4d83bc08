/** Runs a known-answer server for as long as a check needs it. */
import { resolve } from 'node:path';
import { packageRoot } from '../addon.js';
import { type Behaviour, listening, type Truth, truth } from '../contract/selftest.js';
import { Child } from '../hosts/child.js';

const ANSWER_MS = 20_000;
const GRACE_MS = 2000;

/** @returns what `use` measured, and what the server says that it did meanwhile */
export async function withKnownAnswer<Measured>(
  behaviour: Behaviour,
  use: (port: number) => Promise<Measured>,
): Promise<{ measured: Measured; truth: Truth }> {
  const server = new Child('the known-answer server', {
    command: process.execPath,
    args: [resolve(packageRoot, 'dist/servers/known-answer.js'), JSON.stringify(behaviour)],
  });
  try {
    const { port } = listening.parse(await server.expect('listening', ANSWER_MS));
    const measured = await use(port);
    server.send('truth');
    return { measured, truth: truth.parse(await server.expect('truth', ANSWER_MS)) };
  } finally {
    await server.end(GRACE_MS);
  }
}
