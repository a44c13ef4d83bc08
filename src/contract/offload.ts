/**
 * Offloading: what a client asks of the broker over HTTP, what broker and providers say to each other (one JSON object for
 * each message of a WebSocket, or frame of a stream), and what a client measured. Bytes are base64 wherever they stand in JSON.
 */
import { z } from 'zod';
import { count, identifier } from './common.js';
import { latency } from './load.js';

/** SHA-256 of content, by which modules and files are named. */
export const contentDigest = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256: 64 hexadecimal digits');

/** A file of a task lies below its only folder: no way leads out of it. */
export const taskPath = z
  .string()
  .max(255)
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be in a name
  .regex(/^[^\u0000-\u001f\\]+$/, 'must be a file name without control characters and backslashes')
  .refine((path) => path.split('/').every((part) => part !== '' && part !== '.' && part !== '..'), {
    message: 'must be a relative path without empty parts, . and ..',
  })
  .refine((path) => path.split('/').length <= 8, { message: 'must have at most 8 parts' });

/** Names that objects of JavaScript have by themselves would be lost as keys. */
const keyed = <Key extends z.ZodType<string>, Value extends z.ZodType>(
  key: Key,
  value: Value,
  most: number,
) =>
  z
    .record(key, value)
    .refine((all) => Object.keys(all).length <= most, { message: `must have at most ${most} entries` });

const base64 = z.base64();

/** The most that a task may ask for; what it asks for is in its own limits. */
export const mostOfTask = {
  ms: 3_600_000,
  memoryMiB: 4096,
  outputBytes: 8 << 20,
  stdinBytes: 1 << 20,
} as const;

export const taskLimits = z.strictObject({
  /** of one run, from its start in a worker */
  ms: count.min(1).max(mostOfTask.ms),
  /** linear memory */
  memoryMiB: count.min(1).max(mostOfTask.memoryMiB),
  /** stdout, stderr and files together, also those that are not asked for */
  outputBytes: count.max(mostOfTask.outputBytes),
});
export type TaskLimits = z.infer<typeof taskLimits>;

export const usualLimits: TaskLimits = { ms: 30_000, memoryMiB: 256, outputBytes: 1 << 20 };

/** A task as a client may write it: what is left out is as usual. */
export const taskRequest = z.strictObject({
  /** chosen by the client, so that it may ask again; left out: the broker chooses */
  id: z
    .string()
    .regex(/^[\w-]{8,64}$/, 'must be 8 to 64 letters, digits, _ or -')
    .optional(),
  module: contentDigest,
  args: z.array(z.string().max(4096)).max(256).default([]),
  env: keyed(z.string().regex(/^[^=\0]{1,256}$/), z.string().max(4096), 64).default({}),
  stdin: base64.max(Math.ceil((4 * mostOfTask.stdinBytes) / 3) + 4).default(''),
  /** files that it finds, by the digests of their content */
  files: keyed(taskPath, contentDigest, 64).default({}),
  /** files that it leaves, of which the client wants the content */
  outputs: z.array(taskPath).max(64).default([]),
  limits: taskLimits.partial().default({}),
});
export type TaskRequest = z.input<typeof taskRequest>;

/** A task as it is queued, kept and run. */
export const task = taskRequest.extend({ id: z.string(), limits: taskLimits });
export type Task = z.infer<typeof task>;

export const outcome = z.discriminatedUnion('state', [
  z.object({
    state: z.literal('done'),
    exitCode: z.number().int(),
    stdout: base64,
    stderr: base64,
    files: z.record(z.string(), base64),
  }),
  /** it did not come to its end; the reason is one sentence, and `stderr` what it had written there, if that is known */
  z.object({ state: z.literal('failed'), reason: z.string().max(1000), stderr: base64.optional() }),
]);
export type Outcome = z.infer<typeof outcome>;

const ms = z.number().min(0).max(1e9);

/** Milliseconds that a provider spent, by its own clock. */
export const spent = z.object({
  /** from having the message until the result was sent */
  inside: ms,
  instantiate: ms,
  run: ms,
});
export type Spent = z.infer<typeof spent>;

/** Milliseconds by the broker's clock, and the provider's own; null: nobody has run it. */
export const brokerSteps = z.object({
  queue: ms,
  /** from handing it to the provider until its result was there */
  away: ms,
  spent,
});
export type BrokerSteps = z.infer<typeof brokerSteps>;

export const answer = z.object({
  id: z.string(),
  outcome,
  /** providers that were given it */
  attempts: count,
  /** who has run it; null: nobody */
  provider: z.string().nullable(),
  steps: brokerSteps.nullable(),
  /** milliseconds from having the request until the answer was written; of no meaning when it is asked for again */
  total: ms,
  /** results of several providers, and how many of them are like this one; left out: they were not compared */
  compared: z.object({ results: count, agreeing: count }).optional(),
});
export type Answer = z.infer<typeof answer>;

/** How a page is connected to its broker; processes are by WebSocket. */
export const offloadTransports = ['websocket', 'webtransport'] as const;
export type OffloadTransport = (typeof offloadTransports)[number];

/** Who is given the next task: rules of a broker, see src/offload/core/schedulers.ts. */
export const offloadSchedulers = ['first-match', 'any-free', 'round-robin'] as const;
export type OffloadScheduler = (typeof offloadSchedulers)[number];

/** What a broker says of itself. */
export const brokerStatus = z.object({
  scheduler: z.enum(offloadSchedulers),
  queued: count,
  queueBound: count,
  /** tasks without an answer */
  open: count,
  counts: z.object({
    accepted: count,
    answered: count,
    /** results that came for what was not, or no longer, the provider's */
    late: count,
    /** times that a task came back */
    returned: count,
    /** tasks whose results of several providers were compared */
    compared: count,
    /** results that differed from those of other providers */
    differing: count,
    /** tasks that were to be compared and were not: nobody else was there, or too many waited for it */
    alone: count,
  }),
  providers: z.array(z.object({ name: z.string(), workers: count, assigned: count, done: count })),
  /** providers by how they are connected */
  transports: z.partialRecord(z.enum(offloadTransports), count),
});
export type BrokerStatus = z.infer<typeof brokerStatus>;

// ---- broker and provider

export const mostWorkers = 64;

/** What a provider says. */
export const fromProvider = z.discriminatedUnion('type', [
  z.strictObject({
    type: z.literal('hello'),
    token: z.string().max(256),
    name: identifier,
    workers: count.min(1).max(mostWorkers),
    /** tasks that it takes beside those that its workers have */
    ahead: count.max(mostWorkers),
  }),
  z.strictObject({
    type: z.literal('result'),
    assignment: count,
    /** of the bytes that were run, by the provider itself */
    module: contentDigest,
    outcome,
    spent,
  }),
  /** it cannot run this, and says why; nothing is wrong with the task */
  z.strictObject({ type: z.literal('unable'), assignment: count, reason: z.string().max(1000) }),
]);
export type FromProvider = z.infer<typeof fromProvider>;

/** What the broker says. */
export const fromBroker = z.discriminatedUnion('type', [
  z.object({ type: z.literal('welcome'), name: z.string() }),
  z.object({ type: z.literal('run'), assignment: count, task }),
  z.object({ type: z.literal('dismissed'), reason: z.string() }),
]);
export type FromBroker = z.infer<typeof fromBroker>;

/** What the broker tells a page that asks how to connect. */
export const transportTold = z.discriminatedUnion('transport', [
  z.object({ transport: z.literal('websocket') }),
  /** `certificate`: SHA-256 of the certificate that this address has */
  z.object({ transport: z.literal('webtransport'), url: z.url(), certificate: base64 }),
]);
export type TransportTold = z.infer<typeof transportTold>;

// ---- measuring it

/** Who runs the tasks: pages of a browser or processes behind a broker, Node's own WASI in worker threads, or a process each. */
export const offloadWays = ['browser', 'process', 'wasi-pool', 'native'] as const;
export const offloadTasks = ['noop', 'tsp-8', 'tsp-10', 'edges'] as const;
export type OffloadTask = (typeof offloadTasks)[number];

// ---- lines of programs

/** The broker listens. */
export const brokerReady = z.object({ event: z.literal('broker'), port: count, open: count });

/** What carries WebTransport listens, with the certificate of this SHA-256. */
export const webtransportReady = z.object({
  event: z.literal('webtransport'),
  port: count.min(1).max(65535),
  certificate: base64,
});

/** A provider is known to the broker, and takes tasks. */
export const providerReady = z.object({ event: z.literal('provider'), name: z.string(), workers: count });

/**
 * Where the time of a task went, mean milliseconds. `total` is what the client measured by itself; `client` and `wire` are
 * differences of durations, because no two clocks need agree, and all others are measured where they pass.
 */
export const offloadSteps = z.object({
  /** between client and broker, both ways */
  client: z.number(),
  queue: ms,
  /** between broker and provider, both ways */
  wire: z.number(),
  /** in the provider, beside the module */
  worker: z.number(),
  instantiate: ms,
  run: ms,
  /** in the broker: until the task was let in, and from its last result until the answer was sent */
  back: z.number(),
  total: ms,
});
export type OffloadSteps = z.infer<typeof offloadSteps>;

export const offloadResult = z.object({
  event: z.literal('result'),
  tasks: count,
  /** answered otherwise than by exit code 0 and the right output */
  failures: count,
  elapsedNs: z.number().positive(),
  latency,
  /** null: the way has no such steps */
  steps: offloadSteps.nullable(),
});
export type OffloadResult = z.infer<typeof offloadResult>;
