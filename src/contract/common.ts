/** Names shared by every message, file and option. One schema is the single source of a shape and of its type. */
import { z } from 'zod';

/** Every backend name the suite knows, on any system. What this machine has is `probe`'s answer, not this list. */
export const backendNames = [
  'select',
  'select-posix',
  'poll',
  'epoll',
  'epoll-et',
  'epoll-oneshot',
  'kqueue',
  'kqueue-clear',
  'evport',
  'devpoll',
  'wsapoll',
  'uring-poll',
] as const;
export const backendName = z.enum(backendNames);
export type BackendName = z.infer<typeof backendName>;

/**
 * Who runs the protocol: `ts` is JavaScript over our addon, `native` our C++ server, `baseline` a raw loop of system
 * calls with no abstraction (the speed of light), `libuv` Node's own net/dgram (it picks its mechanism itself, so its
 * backend is the name Node uses: epoll on Linux, kqueue on BSD and macOS).
 */
export const implementation = z.enum(['ts', 'native', 'libuv', 'baseline']);
export type Implementation = z.infer<typeof implementation>;

/** How much I/O happens per Node-API crossing in a `ts` server: one call each, a ring of operations, or all of it. */
export const ioMode = z.enum(['call', 'batch', 'native']);
export type IoMode = z.infer<typeof ioMode>;

export const protocol = z.enum(['tcp-echo', 'http', 'udp-echo']);
export type Protocol = z.infer<typeof protocol>;

/** Property of a host that follows every figure; absolute figures are compared only within a class. */
export const executionClass = z.enum(['native', 'container', 'sandbox', 'vm', 'emulated', 'api']);
export type ExecutionClass = z.infer<typeof executionClass>;

export const count = z.number().int().nonnegative();
