/**
 * Links over NATS, for fleets. The calling side opens a session of its own name and calls; those it names answer on
 * subjects that carry the session, so that two callers, or a late frame of a dead one, never mix:
 *
 *   dispatchbench.FLEET.call                 caller -> all: the session's name, who is meant
 *   dispatchbench.FLEET.SESSION.to.NAME      what the caller says to one of them
 *   dispatchbench.FLEET.SESSION.from.NAME    what that one says
 */
import { randomUUID } from 'node:crypto';
import type { NatsConnection, Subscription } from '@nats-io/transport-node';
import { z } from 'zod';
import { agentName } from '../contract/agent.js';
import { validated } from '../contract/validated.js';
import { decodeFrame } from './frames.js';
import { type Ending, Inbox, type Link } from './link.js';
import { flushed } from './nats.js';

const subjects = (fleet: string) => ({
  call: `dispatchbench.${fleet}.call`,
  to: (session: string, name: string) => `dispatchbench.${fleet}.${session}.to.${name}`,
  from: (session: string, name: string) => `dispatchbench.${fleet}.${session}.from.${name}`,
});

const call = z.object({ session: agentName, agents: z.array(agentName).max(10_000) });

/** Null: no call. Anybody may publish there, and what throws in a subscription's callback ends the subscription. */
function callOf(text: string): z.infer<typeof call> | null {
  try {
    return decodeFrame(call, text);
  } catch {
    return null;
  }
}

/** A link that knows when it last heard of the other side, and can be ended from outside: a subject has no end of its own. */
export interface SubjectLink<In, Out> extends Link<In, Out> {
  heardAt(): number;
  end(how: string, fault?: boolean): void;
}

/** One direction in, one out, over subjects of a session. */
function subjectLink<Schema extends z.ZodType, Out>(
  connection: NatsConnection,
  peer: string,
  schema: Schema,
  { from, to }: { from: string; to: string },
): SubjectLink<z.infer<Schema>, Out> {
  const inbox = new Inbox<z.infer<Schema>>();
  let heardAt = Date.now();
  let subscription: Subscription | null = null;
  let end: (how: string, fault?: boolean) => void = () => {};
  const ended = new Promise<Ending>((resolve) => {
    end = (how, fault = false) => {
      subscription?.unsubscribe();
      resolve({ how, fault });
    };
  });
  subscription = connection.subscribe(from, {
    callback: (error, message) => {
      if (error) return end(`${peer}: ${error.message}`, true);
      heardAt = Date.now();
      try {
        inbox.deliver(decodeFrame(schema, message.string()));
      } catch (fault) {
        end(`${peer} sent what is ${(fault as Error).message}`, true);
      }
    },
  });
  void connection.closed().then(() => end('the connection to the NATS server ended'));
  return {
    peer,
    send: (frame) => {
      if (!connection.isClosed()) connection.publish(to, JSON.stringify(frame));
    },
    onFrame: (handler) => inbox.listen(handler),
    ended,
    close: () => end(`${peer} was left`),
    heardAt: () => heardAt,
    end,
  };
}

/**
 * Calls those of these names, in a session of its own. One that is missing stays silent.
 * @throws Error with one sentence when the server does not answer
 */
export async function callOverNats<Schema extends z.ZodType, Out>(
  connection: NatsConnection,
  fleet: string,
  names: readonly string[],
  schema: Schema,
): Promise<SubjectLink<z.infer<Schema>, Out>[]> {
  const { call, to, from } = subjects(fleet);
  const session = randomUUID();
  const links = names.map((name) => {
    validated(agentName, name, `the name in 'nats:${name}'`);
    const way = { from: from(session, name), to: to(session, name) };
    return subjectLink<Schema, Out>(connection, name, schema, way);
  });
  // Subscriptions first: whoever is called answers at once.
  await flushed(connection);
  connection.publish(call, JSON.stringify({ session, agents: names }));
  return links;
}

/** @param answer called for every call that means this name: opens the link to the caller, or refuses in one frame */
export function answerNatsCalls<Schema extends z.ZodType, Out>(
  connection: NatsConnection,
  { fleet, name, caller }: { fleet: string; name: string; caller: string },
  schema: Schema,
  answer: (open: () => SubjectLink<z.infer<Schema>, Out>, refuse: (frame: Out) => void) => void,
): void {
  const names = subjects(fleet);
  connection.subscribe(names.call, {
    callback: (error, message) => {
      if (error) return;
      const asked = callOf(message.string());
      if (!asked?.agents.includes(name)) return;
      const { session } = asked;
      const way = { from: names.to(session, name), to: names.from(session, name) };
      answer(
        () => subjectLink<Schema, Out>(connection, caller, schema, way),
        (frame) => connection.publish(way.to, JSON.stringify(frame)),
      );
    },
  });
}
