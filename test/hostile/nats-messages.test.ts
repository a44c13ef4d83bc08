/**
 * Anybody who may publish to a broker publishes what no coordinator sends, on the subject of calls and within a session that
 * goes on: the agent answers the next coordinator. HOSTILE_MESSAGES says how many messages.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { packageRoot } from '../../src/addon.js';
import { connectNats } from '../../src/carriers/nats.js';
import { openFleet } from '../../src/ramp/clients.js';
import { randomFrom } from '../../src/statistics/random.js';
import { line, natsServer, noBroker, run } from '../agent/broker.js';
import { mutated } from '../fuzz/mutate.js';
import { tried } from '../support/tally.js';

const messages = Number(process.env.HOSTILE_MESSAGES ?? 400);
const seed = Number(process.env.HOSTILE_SEED ?? Date.now() % 1e6);
const fleet = `hostile${process.pid}`;
const eachSession = 100;
const longest = 4000;

/** None of them is a call of the agent, which would serve its caller until that is silent for long. */
const seeds = [
  '',
  '{"session":"s","agents":["another"]}',
  '{"type":"ping","id":1}',
  '{"type":"job","id":1,"spec":{"kind":"session"}}',
  '{"type":"start","id":1,"atNs":1}',
  '{"type":"abort","id":1}',
].map((text) => Buffer.from(text));
const words = ['"session"', '"agents"', '"another"', '"type"', '"ping"', '"job"', '"spec"', '"id"', '*', '>'];

/** A coordinator that has gone may not be gone for the agent yet. */
async function coordinator(url: string) {
  for (let attempt = 0; ; attempt++) {
    try {
      return await openFleet(['nats:solo'], { url, fleet });
    } catch (error) {
      if (attempt === 50) throw error;
      await pause(100);
    }
  }
}

test(`${messages} messages of strangers silence no agent (seed ${seed})`, {
  skip: noBroker ?? false,
}, async () => {
  const random = randomFrom(seed);
  const { url } = await natsServer('127.0.0.1');
  const program = join(packageRoot, 'bin/dispatchbench.js');
  const agent = run(process.execPath, [program, 'agent', '--name', 'solo', '--nats', url, '--fleet', fleet]);
  await line(agent, /waiting on/);
  const stranger = await connectNats({ url, fleet });
  try {
    /** of the session that goes on: its calls are heard by everybody */
    let session = 'none';
    stranger.subscribe(`dispatchbench.${fleet}.call`, {
      callback: (_, message) => {
        const [, found] = /^\{"session":"(\w+)","agents":\["solo"\]\}$/.exec(message.string()) ?? [];
        session = found ?? session;
      },
    });
    await stranger.flush();
    for (let sent = 0; sent < messages; ) {
      const honest = await coordinator(url);
      try {
        for (let n = 0; n < eachSession && sent < messages; n++, sent++) {
          const bytes = mutated(random, seeds, words, longest);
          const to = ['call', `${session}.to.solo`, `${session}.from.solo`];
          const subject = to[Math.floor(random() * to.length)]!;
          stranger.publish(`dispatchbench.${fleet}.${subject}`, bytes);
        }
        await stranger.flush();
      } finally {
        await honest.close();
      }
    }
    await (await coordinator(url)).close();
    assert.equal(agent.exitCode, null, 'the agent goes on');
    tried('messages of strangers to an agent', messages);
  } finally {
    await stranger.close();
  }
});
