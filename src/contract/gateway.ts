/**
 * Gateways: HTTP servers with a few workloads, whatever they are built of (gateways/README.md). The lines that they print
 * on stdout, and what a host knows of them.
 */
import { z } from 'zod';
import { count, identifier } from './common.js';

/** What is asked of a gateway, by the path. */
export const workloads = {
  hello: '/',
  compute: '/compute?iters=20000',
  state: '/state',
  proxy: '/from-upstream',
} as const satisfies Record<string, string>;

export const workload = z.enum(Object.keys(workloads) as [keyof typeof workloads]);
export type Workload = z.infer<typeof workload>;

/** What a gateway says when it listens. All times are readings of CLOCK_MONOTONIC, nanoseconds. */
export const gatewayLine = z.object({
  event: z.literal('gateway'),
  name: z.string(),
  mode: z.string().nullable(),
  module: z.object({ file: z.string(), sha256: z.string(), bytes: count }).nullable(),
  phases: z.object({
    /** its own first statement */
    main: z.number(),
    bound: z.number(),
    /** the module is machine code; null: there is no module, or it is compiled elsewhere */
    compiled: z.number().nullable(),
    /** an instance of it stands ready; null: instances are made for each request */
    instantiated: z.number().nullable(),
    listening: z.number(),
  }),
});
export type GatewayLine = z.infer<typeof gatewayLine>;

/** What a process has of memory: what it holds for itself, and what of its address space is set aside. */
const memoryTaken = z.object({ pssBytes: count, reservedBytes: count });

/** A program's line that has made instances of a module: what it took before the first, and when all stood. */
export const instancesLine = z.object({
  event: z.literal('instances'),
  mode: z.string(),
  count: count.min(1),
  before: memoryTaken,
  after: memoryTaken,
});
export type InstancesLine = z.infer<typeof instancesLine>;

/** What a program is told that starts something many times, holds all of it, and tells `instancesLine`. */
export const heldSpec = z.strictObject({
  /** its first line of output says that it stands */
  command: z.array(z.string()).min(1),
  /**
   * A namespace of processes, as a file: all in it are counted, so that what somebody else runs for the instances is there as
   * well. Left out: what was started.
   */
  within: z.string().optional(),
});
export type HeldSpec = z.infer<typeof heldSpec>;

/** A gateway as a host has it. */
export const foundGateway = z.object({
  name: identifier,
  /** program and arguments, with `{address}`, `{port}` and `{upstream}` in them; null: it is not there */
  command: z.array(z.string()).nullable(),
  /** what it starts for one request, which reads its input and ends; null: nothing */
  perRequest: z.array(z.string()).nullable(),
  /** a program that makes as many instances as its last argument says, and tells `instancesLine`; null: it has none */
  instances: z.array(z.string()).nullable().default(null),
  /** a module of which versions are made, each put in place of `{module}` in the command; left out: it takes none */
  template: z.string().optional(),
  /** a control group whose processes are the gateway's, whoever started them; left out: its own children are */
  group: z.string().optional(),
  /** what is missing, and how to get it; empty: nothing */
  reason: z.string(),
});
export type FoundGateway = z.infer<typeof foundGateway>;
