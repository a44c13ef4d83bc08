/**
 * What a ramp is asked, under autobench's own names. Values come from its defaults, then its configuration file, then
 * the command line; here they are checked and turned into steps. Pure functions.
 */
import { z } from 'zod';
import { implementation } from '../contract/common.js';
import { type SessionSpec, sampleMs, sessionSpec } from '../contract/ramp.js';
import { firstIssue } from '../contract/validated.js';
import type { AutobenchConfig } from './config.js';

const whole = z.coerce.number().int().positive();
const text = z.string().min(1);
const testTime = 'must be a whole number of seconds, at least 10';
/** autobench's switches carry no value on the command line and 1 in a file. */
const flag = z
  .union([z.boolean(), z.enum(['0', '1', 'true', 'false'])])
  .transform((value) => value === true || value === '1' || value === 'true');

export const rampOptions = z.object({
  host1: text.optional(),
  port1: whole.default(80),
  uri1: text.default('/'),
  host2: text.optional(),
  port2: whole.default(80),
  uri2: text.default('/'),
  low_rate: whole.default(20),
  high_rate: whole.default(200),
  rate_step: whole.default(10),
  num_conn: whole.default(5000),
  num_call: whole.default(10),
  timeout: z.coerce.number().positive().default(5),
  const_test_time: z.coerce.number(testTime).int(testTime).min(10, testTime).optional(),
  single_host: flag.default(false),
  output_fmt: z.enum(['tsv', 'csv']).default('tsv'),
  file: text.optional(),
  quiet: flag.default(false),
  clients: text.optional(),
  // Ours.
  backend: text.optional(),
  impl: implementation.default('native'),
  client: z.enum(['native', 'httperf']).default('native'),
  arrival: z.enum(['fixed', 'exponential']).default('fixed'),
});
export type RampOptions = z.infer<typeof rampOptions>;

export interface Ramp {
  options: RampOptions;
  /** empty: a server of ours, which is not started yet */
  hosts: readonly { host: string; port: number; uri: string }[];
  /** httperf's own options, from `httperf_<name> = value` */
  httperf: ReadonlyMap<string, string | null>;
  /** autobench's `clients` as given; empty: this machine alone */
  clients: readonly string[];
  warnings: readonly string[];
}

/** autobench's keys that change nothing here: they ask for its version or its own debugging output. */
const withoutMeaning = new Set(['version', 'debug']);

/** @throws Error with one sentence on what is wrong */
export function resolveRamp(config: AutobenchConfig, given: Record<string, unknown>): Ramp {
  const known = new Set(Object.keys(rampOptions.shape));
  const warnings = [...config.warnings];
  const httperf = new Map<string, string | null>();
  const values: Record<string, unknown> = {};
  for (const [key, value] of config.values) {
    if (known.has(key)) values[key] = value;
    else if (key.startsWith('httperf_'))
      httperf.set(key.slice('httperf_'.length), value === 'NULL' ? null : value);
    else if (!withoutMeaning.has(key))
      warnings.push(`unknown key '${key}' in the configuration file, ignored`);
  }
  // The file's server gives way to the one that the command line asks for.
  if (given.backend !== undefined) for (const name of ['host1', 'host2']) delete values[name];
  if (given.host1 !== undefined) delete values.backend;
  for (const [key, value] of Object.entries(given)) if (value !== undefined) values[key] = value;

  const parsed = rampOptions.safeParse(values);
  if (!parsed.success) throw new Error(`--${firstIssue(parsed.error)}`);
  const options = parsed.data;
  if (options.low_rate > options.high_rate)
    throw new Error(`--low_rate ${options.low_rate} is above --high_rate ${options.high_rate}`);
  const { host1, host2, backend } = options;
  if (host1 === undefined && backend === undefined)
    throw new Error('--host1 is missing: name a server that runs, or --backend NAME for one of ours');
  if (backend !== undefined && (host1 !== undefined || host2 !== undefined))
    throw new Error(
      '--backend starts a server of ours, --host1 and --host2 name others: give one or the other',
    );
  if (backend !== undefined && options.clients !== undefined)
    throw new Error('--clients load a server that runs: start it with serve and name it with --host1');
  if (httperf.size > 0 && options.client !== 'httperf')
    warnings.push(`httperf_* keys are ignored: they are for '--client httperf'`);

  const hosts = host1 === undefined ? [] : [{ host: host1, port: options.port1, uri: options.uri1 }];
  if (host2 !== undefined && !options.single_host)
    hosts.push({ host: host2, port: options.port2, uri: options.uri2 });
  return { options, hosts, httperf, clients: options.clients?.split(',').filter(Boolean) ?? [], warnings };
}

export function rates(options: Pick<RampOptions, 'low_rate' | 'high_rate' | 'rate_step'>): number[] {
  const steps = Math.floor((options.high_rate - options.low_rate) / options.rate_step) + 1;
  return Array.from({ length: steps }, (_, step) => options.low_rate + step * options.rate_step);
}

/** One step on one host. @throws Error when a value cannot be sent in a request (spaces, control characters) */
export function stepSpec(ramp: Ramp, host: Ramp['hosts'][number], rate: number): SessionSpec {
  const { options } = ramp;
  const connections = options.const_test_time ? rate * options.const_test_time : options.num_conn;
  const parsed = sessionSpec.safeParse({
    ...host,
    rate,
    connections,
    calls: options.num_call,
    timeoutMs: options.timeout * 1000,
    sampleMs: sampleMs(connections / rate),
    arrival: options.arrival,
    cpus: [],
  });
  if (!parsed.success) throw new Error(`--${firstIssue(parsed.error)}`);
  return parsed.data;
}
