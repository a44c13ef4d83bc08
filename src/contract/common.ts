/** Names shared by every message, file and option. One schema is the single source of a shape and of its type. */
import { z } from 'zod';
import {
  acceptSharings,
  backendNames,
  engineNames,
  implementations,
  ioModes,
  mechanismNames,
  protocols,
  serverNames,
} from './names.js';

export { backendNames };

export const backendName = z.enum(backendNames);
export type BackendName = z.infer<typeof backendName>;

export const engineName = z.enum(engineNames);
export type EngineName = z.infer<typeof engineName>;

/** A backend or a completion engine. */
export const mechanismName = z.enum(mechanismNames);
export type MechanismName = z.infer<typeof mechanismName>;

export const implementation = z.enum(implementations);
export type Implementation = z.infer<typeof implementation>;

/** An implementation, or a server on somebody else's loop. */
export const serverName = z.enum(serverNames);
export type ServerName = z.infer<typeof serverName>;

export const acceptSharing = z.enum(acceptSharings);
export type AcceptSharing = z.infer<typeof acceptSharing>;

export const ioMode = z.enum(ioModes);
export type IoMode = z.infer<typeof ioMode>;

export const protocol = z.enum(protocols);
export type Protocol = z.infer<typeof protocol>;

/** Property of a host that follows every figure; absolute figures are compared only within a class. */
export const executionClass = z.enum(['native', 'container', 'sandbox', 'vm', 'emulated', 'api']);
export type ExecutionClass = z.infer<typeof executionClass>;

export const count = z.number().int().nonnegative();

/** Names of experiments, factors, hosts and files reach file names and pages. */
export const identifier = z
  .string()
  .regex(/^[A-Za-z0-9][\w.-]{0,99}$/, 'must be a name: letters, digits, . _ -');

/** A time that something took, in nanoseconds: more than none, at most a hundred days. */
export const spentNs = z.number().positive().max(8.64e15);

/** A figure that is no count: never negative, and small enough that sums of many stay finite. */
export const amount = z.number().nonnegative().max(1e18);
