/** Messages that anybody may publish: to those who wait for calls, and within a session. Nobody is silenced by them. */
import assert from 'node:assert/strict';
import type { NatsConnection } from '@nats-io/transport-node';
import { answerNatsCalls, type SubjectLink } from '../../../src/carriers/nats-link.js';
import { type Command, command, type Report } from '../../../src/contract/agent.js';
import type { Target } from '../engine.js';

type Callback = (error: null, message: { string(): string }) => void;

/** Hands messages over as the library does: what a callback throws ends its subscription. */
function stub(): { connection: NatsConnection; publish(subject: string, bytes: Uint8Array): void } {
  const subscriptions = new Map<string, Callback>();
  const connection = {
    subscribe: (subject: string, { callback }: { callback: Callback }) => {
      subscriptions.set(subject, callback);
      return { unsubscribe: () => subscriptions.delete(subject) };
    },
    closed: () => new Promise(() => {}),
    isClosed: () => false,
    publish: () => {},
  };
  return {
    connection: connection as unknown as NatsConnection,
    publish: (subject, bytes) =>
      subscriptions.get(subject)?.(null, { string: () => new TextDecoder().decode(bytes) }),
  };
}

const calls = 'dispatchbench.f.call';
const call = Buffer.from(JSON.stringify({ session: 's', agents: ['x'] }));
const ping = Buffer.from(JSON.stringify({ type: 'ping', id: 1 }));

export const target: Target = {
  seeds: [call, ping, Buffer.alloc(0), Buffer.from('{"session":"t","agents":["x","y"]}')],
  words: [
    '"session"',
    '"agents"',
    '"x"',
    '"type"',
    '"ping"',
    '"job"',
    '"spec"',
    '"kind"',
    '"id"',
    's.to.x',
    '*',
    '>',
  ],
  longest: 4000,
  stepsPerByte: 500,
  judge(input) {
    const { connection, publish } = stub();
    const links: SubjectLink<Command, Report>[] = [];
    const us = { fleet: 'f', name: 'x', caller: 'the coordinator' };
    answerNatsCalls<typeof command, Report>(connection, us, command, (open) => links.push(open()));
    publish(calls, input);
    const before = links.length;
    publish(calls, call);
    assert.equal(links.length, before + 1, 'a call is answered after it');
    const frames: Command[] = [];
    links.at(-1)!.onFrame((frame) => frames.push(frame));
    publish('dispatchbench.f.s.to.x', ping);
    publish('dispatchbench.f.s.to.x', input);
    assert.equal(frames[0]?.type, 'ping', 'a frame before it is delivered');
  },
};
