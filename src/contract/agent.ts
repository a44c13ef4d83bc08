/**
 * The agent protocol: JSON lines in both directions over any byte stream (a child's stdio, ssh, NATS).
 *
 * An agent registers with its facts, answers pings, prepares a job, starts it at an instant of its own clock, and sends
 * the result. A job is data that can only ask for what the command line can do; nothing in it is ever read by a shell.
 * All instants are CLOCK_MONOTONIC of the machine they belong to, in nanoseconds.
 */
import { z } from 'zod';
import { amount, count } from './common.js';
import { sessionResult, sessionSpec } from './ramp.js';

export const AGENT_PROTOCOL = 1;

/** Names go into NATS subjects and reports. */
export const agentName = z
  .string()
  .regex(/^[A-Za-z0-9_-]{1,64}$/, 'must be letters, digits, - and _, at most 64');

/** One sentence, or one fact. */
const words = z.string().max(1000);

export const agentFacts = z.object({
  hostname: words,
  /** CPUs this process may use */
  cores: count.min(1).max(100_000),
  memoryBytes: count,
  descriptorLimit: z.object({ soft: count, hard: count }).nullable(),
  os: words,
  kernel: words,
  arch: words,
  versions: z.record(z.string().max(64), words),
});
export type AgentFacts = z.infer<typeof agentFacts>;

export const job = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('session'), spec: sessionSpec }),
  z.object({ kind: z.literal('httperf'), spec: sessionSpec }),
]);
export type Job = z.infer<typeof job>;

const id = z.number().int().nonnegative();

/** What a coordinator says. */
export const command = z.discriminatedUnion('type', [
  z.object({ type: z.literal('ping'), id }),
  z.object({ type: z.literal('job'), id, job }),
  z.object({ type: z.literal('start'), id, atNs: amount }),
  z.object({ type: z.literal('stop'), id }),
  z.object({ type: z.literal('bye') }),
]);
export type Command = z.infer<typeof command>;

/** What an agent says. */
export const report = z.discriminatedUnion('type', [
  z.object({ type: z.literal('register'), protocol: z.number().int(), name: agentName, facts: agentFacts }),
  z.object({ type: z.literal('pong'), id, receivedNs: amount, sentNs: amount }),
  z.object({ type: z.literal('ready'), id }),
  z.object({ type: z.literal('result'), id, result: sessionResult }),
  z.object({ type: z.literal('failed'), id, reason: words }),
  z.object({ type: z.literal('refused'), reason: words }),
]);
export type Report = z.infer<typeof report>;
