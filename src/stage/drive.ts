/** One load of standing connections or sockets: clients that begin together, and what the server counts meanwhile. */
import type { Span } from '../contract/sample.js';
import type { HostProcess } from '../hosts/host.js';
import type { Program } from '../hosts/program.js';
import { answerMs, standingMs } from './patience.js';
import type { Servers } from './servers.js';
import { type Stage, together } from './stage.js';

export interface Window {
  /** connections of all clients together */
  connections: number;
  warmupMs: number;
  durationMs: number;
  /** a client waits so long for the replies of its window, milliseconds */
  timeoutMs?: number;
  /** called when all connections stand, before anything is sent */
  standing?: () => Promise<void>;
}

export interface Driven<S> {
  /** each client's result line as it was printed; their connections are gone by then */
  results: unknown[];
  span: S extends Servers ? Span : null;
}

/**
 * Follows clients that have been asked for one load each.
 * @param servers whose snapshots are taken where the window begins and ends; null: a server that cannot be asked
 * @throws Error in one sentence when a client breaks down
 */
export async function follow<S extends Servers | null>(
  stage: Stage,
  servers: S,
  clients: readonly HostProcess[],
  { connections, warmupMs, durationMs, timeoutMs = 0, standing }: Window,
): Promise<Driven<S>> {
  await together(clients, 'connected', standingMs(connections));
  await standing?.();
  for (const client of clients) client.send('go');
  await together(clients, 'window-start', answerMs + warmupMs);
  const edge = servers && (await stage.edge(servers));
  await together(clients, 'window-end', answerMs + durationMs);
  const span = servers && edge ? await stage.since(servers, edge) : null;
  for (const client of clients) client.send('close');
  const results = await together(clients, 'result', answerMs + timeoutMs);
  return { results, span: span as Driven<S>['span'] };
}

/** The same by clients of its own: one program for each server, ended afterwards. */
export async function drive<S extends Servers | null>(
  stage: Stage,
  servers: S,
  load: Window & { name: string; clients: readonly Program[] },
): Promise<Driven<S>> {
  const clients = load.clients.map((program) => stage.client(load.name, program));
  const driven = await follow(stage, servers, clients, load);
  await Promise.all(clients.map((client) => stage.end(client)));
  return driven;
}
