/** The command line of a replica. */
import { parseArgs } from 'node:util';
import type { BackendName } from '../../src/contract/common.js';
import {
  backendNames,
  type QuorumFault,
  type QuorumProtocol,
  type QuorumSealName,
  quorumFaults,
  quorumProtocols,
  quorumSeals,
} from '../../src/contract/names.js';
import { isLoopback } from '../options.js';

export interface ReplicaOptions {
  protocol: QuorumProtocol;
  backend: BackendName;
  address: string;
  port: number;
  cpus: number[];
  control: boolean;
  /** of its log; null: a temporary one */
  folder: string | null;
  /** the folder goes when the replica ends */
  temporary: boolean;
  /** what is in the folder goes: a member of Raft that lost its disk, and has no vote */
  empty: boolean;
  fsync: boolean;
  seal: QuorumSealName;
  fault: QuorumFault | null;
  /** requests in a batch */
  batch: number;
  /** a broadcast asks one member after the answer of the one before, not all at once */
  inTurn: boolean;
  patienceMs: number;
  /** entries after which a snapshot takes their place */
  snapshotAfter: number;
}

/**
 * Milliseconds. A member of Raft that hears of no leader costs an election to be wrong; a replica of PBFT that suspects the
 * primary costs all of them a view.
 */
const usualPatience: Record<QuorumProtocol, string> = { raft: '200', pbft: '500', broadcast: '500' };

function numberOf(name: string, text: string, low: number, high: number): number {
  const value = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (!(value >= low && value <= high))
    throw new Error(`--${name} must be a number from ${low} to ${high}, not '${text}'`);
  return value;
}

function choiceOf<T extends string>(name: string, text: string | undefined, choices: readonly T[]): T {
  const choice = choices.find((known) => known === text);
  if (choice === undefined)
    throw new Error(`--${name} must be one of ${choices.join(', ')}, not '${text ?? ''}'`);
  return choice;
}

/** @throws Error with one sentence on what is wrong */
export function parseOptions(args: readonly string[]): ReplicaOptions {
  const { values } = parseArgs({
    args: [...args],
    options: {
      protocol: { type: 'string' },
      backend: { type: 'string' },
      address: { type: 'string', default: '127.0.0.1' },
      port: { type: 'string', default: '0' },
      expose: { type: 'boolean', default: false },
      cpu: { type: 'string', default: '' },
      control: { type: 'boolean', default: false },
      folder: { type: 'string' },
      temporary: { type: 'boolean', default: false },
      empty: { type: 'boolean', default: false },
      'no-fsync': { type: 'boolean', default: false },
      seal: { type: 'string', default: 'none' },
      fault: { type: 'string' },
      batch: { type: 'string', default: '64' },
      'in-turn': { type: 'boolean', default: false },
      patience: { type: 'string' },
      'snapshot-after': { type: 'string', default: '20000' },
    },
  });
  if (!isLoopback(values.address) && !values.expose)
    throw new Error(
      `address ${values.address} is not loopback: give --expose as well if other machines may reach this replica`,
    );
  const protocol = choiceOf('protocol', values.protocol, quorumProtocols);
  const fault = values.fault === undefined ? null : choiceOf('fault', values.fault, quorumFaults);
  if (protocol !== 'pbft' && fault !== null)
    throw new Error('--fault is of pbft: members of other groups fail by stopping');
  if (protocol !== 'broadcast' && values['in-turn']) throw new Error('--in-turn is of broadcast');
  return {
    protocol,
    backend: choiceOf('backend', values.backend, backendNames),
    address: values.address,
    port: numberOf('port', values.port, 0, 65_535),
    cpus: values.cpu === '' ? [] : values.cpu.split(',').map((cpu) => numberOf('cpu', cpu, 0, 1023)),
    control: values.control,
    folder: values.folder ?? null,
    temporary: values.temporary || values.folder === undefined,
    empty: values.empty,
    fsync: !values['no-fsync'],
    seal: choiceOf('seal', values.seal, quorumSeals),
    fault,
    batch: numberOf('batch', values.batch, 1, 10_000),
    inTurn: values['in-turn'],
    patienceMs: numberOf('patience', values.patience ?? usualPatience[protocol], 50, 600_000),
    snapshotAfter: numberOf('snapshot-after', values['snapshot-after'], 1, 1e9),
  };
}
