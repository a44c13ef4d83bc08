/** The agent behind NATS: it serves whoever calls it, one coordinator at a time. */
import type { NatsConnection } from '@nats-io/transport-node';
import type { Ending } from '../carriers/link.js';
import { flushed } from '../carriers/nats.js';
import { answerNatsCalls, type SubjectLink } from '../carriers/nats-link.js';
import { type Command, command, type Report } from '../contract/agent.js';
import { type Agent, serve } from './agent.js';

/** A coordinator that has been silent for so long is gone; it pings every second. */
const SILENCE_MS = 10_000;

/**
 * Serves coordinators, one after the other, until the connection ends or `signal` aborts.
 * @param waiting called when calls are sure to arrive: one that was published before is lost
 * @returns how it ended; a fault when nobody asked for it
 * @throws Error with one sentence when the server does not answer
 */
export async function serveNats(
  connection: NatsConnection,
  fleet: string,
  agent: Agent,
  waiting: () => void,
  signal?: AbortSignal,
): Promise<Ending> {
  let serving = false;
  signal?.addEventListener('abort', () => void connection.close());
  const serveOne = async (link: SubjectLink<Command, Report>): Promise<void> => {
    serving = true;
    const watch = setInterval(() => {
      if (Date.now() - link.heardAt() > SILENCE_MS) link.end('the coordinator has been silent for 10 s');
    }, 1000);
    await serve(link, agent);
    clearInterval(watch);
    link.close();
    serving = false;
  };
  const us = { fleet, name: agent.name, caller: 'the coordinator' };
  answerNatsCalls<typeof command, Report>(connection, us, command, (open, refuse) => {
    if (serving) refuse({ type: 'refused', reason: 'it serves another coordinator' });
    else void serveOne(open());
  });
  await flushed(connection);
  waiting();
  const error = await connection.closed();
  const why = error instanceof Error ? ` (${error.message})` : '';
  return { how: `the connection to the NATS server ended${why}`, fault: !signal?.aborted };
}
