import { createWriteStream, existsSync, readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { join } from 'node:path';
import { Command, Option } from '@commander-js/extra-typings';
import { type BackendName, implementation } from '../../contract/common.js';
import { type Condition, judgementInWords, type Outcome, worst } from '../../contract/conditions.js';
import type { NetworkCounters } from '../../contract/host.js';
import { totalFailures } from '../../contract/ramp.js';
import type { DispatchSubject } from '../../contract/subject.js';
import { codeOf, exitCode } from '../../exit-codes.js';
import { thresholdOptions } from '../../options.js';
import { openFleet } from '../../ramp/clients.js';
import { judgeSessions, rampConditions } from '../../ramp/conditions.js';
import { parseConfig } from '../../ramp/config.js';
import { type Ramp, resolveRamp } from '../../ramp/options.js';
import {
  type Measure,
  measureAlone,
  measureWithFleet,
  type RampStep,
  runRamp,
  type StepMeasured,
} from '../../ramp/ramp.js';
import { type AutobenchTable, autobenchHeader, autobenchLine } from '../../report/autobench.js';
import { onStage, type Site } from '../../stage/on-stage.js';
import { withExamples } from '../examples.js';
import { natsOptions, withNatsOptions } from '../nats-options.js';
import { hostOption, linked, linkOption, onHost } from '../on-host.js';

/** autobench's file; its own name is kept so that an old one goes on working. */
const CONFIG = '.autobench.conf';

const { threshold, old } = thresholdOptions(rampConditions, "at every rate, 'p99<20ms', 'errors<1%'");

/** autobench and httperf, rebuilt: autobench's options, and its table. */
export const ramp = withExamples(
  withNatsOptions(new Command('ramp'))
    .description(
      'Offered-load ramp in the meaning of httperf and autobench: at each rate so many connections are started per second, open loop, each makes num_call requests. Prints the table of autobench. Options not given come from ~/.autobench.conf, then from its defaults.',
    )
    .option('--host1 <host>', 'server under test')
    .option('--port1 <port>', '(80)')
    .option('--uri1 <uri>', '(/)')
    .option('--host2 <host>', 'a second server, measured after the first at each rate')
    .option('--port2 <port>', '(80)')
    .option('--uri2 <uri>', '(/)')
    .option('--backend <name>', 'instead of --host1: a server of ours, started for this ramp')
    .addOption(new Option('--impl <impl>', 'who runs it (native)').choices(implementation.options))
    .option('--single_host', 'leave the second server out')
    .option('--low_rate <n>', 'first rate, connections per second (20)')
    .option('--high_rate <n>', 'last rate (200)')
    .option('--rate_step <n>', '(10)')
    .option('--num_conn <n>', 'connections at each rate (5000)')
    .option('--num_call <n>', 'requests on each connection (10)')
    .option('--timeout <s>', 'seconds to wait for a connection or a reply, then client-timo (5)')
    .option('--const_test_time <s>', 'instead of num_conn: seconds at each rate, at least 10')
    .option('--output_fmt <format>', 'tsv or csv (tsv)')
    .option('--file <file>', 'write the table there')
    .option('--quiet', 'print nothing but the table')
    .option('--clients <a,b,...>', 'load machines: HOST (ssh), local[:NAME], netns:NAME, nats:NAME')
    .option('--config <file>', `configuration file (~/${CONFIG})`)
    .addOption(new Option('--client <client>', 'who makes the load').choices(['native', 'httperf'] as const))
    .addOption(
      new Option('--arrival <kind>', 'gaps between connections').choices(['fixed', 'exponential'] as const),
    )
    .addOption(hostOption())
    .addOption(linkOption())
    .addOption(threshold)
    .addOption(old)
    .option('--json', 'one JSON object per rate instead of the table'),
  [
    [
      'ramp --host1 127.0.0.1 --port1 8081 --low_rate 100 --high_rate 450 --rate_step 50 --num_call 10',
      'a server that runs already',
    ],
    [
      "ramp --backend epoll --low_rate 100 --high_rate 1000 --rate_step 100 --threshold 'p99<20ms,errors<1%'",
      'a server of ours; exit code 2 where a condition does not hold at some rate',
    ],
  ],
).action(async ({ json, config, host, link, threshold: conditions = [], ...values }) => {
  const { nats, fleet: fleetName, natsCreds, natsCa, natsCert, natsKey, ...given } = values;
  const ramp = resolveRamp(readConfig(config), given);
  const note = (line: string): void => {
    if (!ramp.options.quiet) console.error(line);
  };
  for (const warning of ramp.warnings) note(`dispatchbench: ${warning}`);

  const write = await output(ramp.options.file);
  const outcomes: Outcome[] = [];
  const tell = async (asked: Ramp, measure: Measure, network?: Network): Promise<void> => {
    const table: AutobenchTable = {
      hosts: asked.hosts.map(({ host }) => host),
      calls: ramp.options.num_call,
      format: ramp.options.output_fmt,
      distributed: ramp.clients.length > 0,
    };
    if (!json) write(autobenchHeader(table));
    for await (const step of runRamp(asked, measure, network)) {
      write(
        json
          ? `${JSON.stringify(step)}\n`
          : autobenchLine(table, { rate: step.rate, results: step.hosts.map(({ result }) => result) }),
      );
      for (const line of summary(asked, step)) note(line);
      outcomes.push(...judgeStep(asked, step, conditions));
    }
    process.exitCode = codeOf[worst(outcomes)];
  };
  if (ramp.clients.length === 0) return onHost(linked(host, link), (site) => rampOn(site, ramp, tell));
  if (host !== 'local' || link !== undefined)
    throw new Error('--clients name the load machines: leave --host and --link out');
  const carrier = natsOptions({ nats, fleet: fleetName, natsCreds, natsCa, natsCert, natsKey });
  const fleet = await openFleet(ramp.clients, carrier);
  for (const { name, facts } of fleet.clients)
    note(`client ${name}: ${facts.cores} cores, ${facts.os} ${facts.kernel}, Node ${facts.versions.node}`);
  try {
    await tell(ramp, measureWithFleet(ramp, fleet));
    // The table is whole, but not by all of the clients.
    if (fleet.dropped.length > 0) process.exitCode ||= exitCode.undecided;
  } catch (error) {
    // What went wrong first is what is to be known.
    await fleet.close().catch(() => {});
    throw error;
  }
  await fleet.close();
});

/** What does not hold at this rate, or cannot be told, each in a sentence. */
function judgeStep(ramp: Ramp, { rate, hosts }: RampStep, conditions: readonly Condition[]): Outcome[] {
  return hosts.flatMap((measured, index) =>
    judgeSessions(conditions, measured.result, measured.problems).map((one) => {
      if (one.outcome !== 'passed')
        console.error(`dispatchbench: ${ramp.hosts[index]!.host} at ${rate}/s: ${judgementInWords(one)}`);
      return one.outcome;
    }),
  );
}

type Network = () => Promise<NetworkCounters | null>;

/** One client in the client's place of a host, and in the server's place a server of ours, where one was asked for. */
const rampOn = (
  site: Site,
  ramp: Ramp,
  tell: (asked: Ramp, measure: Measure, network: Network) => Promise<void>,
): Promise<void> =>
  onStage(site, async (stage) => {
    const { backend, impl, client, uri1: uri } = ramp.options;
    if (client === 'httperf' && site.roles.name !== 'local')
      throw new Error('--client httperf runs on this machine only: leave --host or --client out');
    const subject: DispatchSubject = {
      kind: 'dispatch',
      protocol: 'http',
      impl,
      // An unknown name goes on to the server, which says what its host has.
      backend: backend as BackendName,
      io: impl === 'ts' ? 'batch' : null,
    };
    const started = backend === undefined ? null : await stage.serve(subject);
    const measure = measureAlone(ramp, {
      start: (name, program) => stage.client(name, program),
      now: () => stage.clientNow(),
      cpus: started ? stage.pinning.client : [],
    });
    const hosts = started ? started.targets.map((target) => ({ ...target, uri })) : ramp.hosts;
    await tell({ ...ramp, hosts }, measure, async () => (await stage.host('server').counters()).network);
  });

function readConfig(file: string | undefined) {
  const path = file ?? join(homedir(), CONFIG);
  // Only a file that was asked for by name has to exist.
  if (file === undefined && !existsSync(path)) return parseConfig('', path);
  return parseConfig(readFileSync(path, 'utf8'), path);
}

/** Writes to stdout, or to a file that is opened now: an unwritable one ends the ramp before it begins. */
async function output(file: string | undefined): Promise<(text: string) => void> {
  if (file === undefined) return (text) => process.stdout.write(text);
  const stream = createWriteStream(file);
  await new Promise((resolve, reject) => {
    stream.once('open', resolve);
    stream.once('error', (error) => reject(new Error(`cannot write ${file}: ${error.message}`)));
  });
  return (text) => stream.write(text);
}

function* summary(ramp: Ramp, step: RampStep): Generator<string> {
  for (const [index, measured] of step.hosts.entries()) {
    const { result } = measured;
    const { avg, stddev, samples, intervalS } = result.replyRate;
    yield `${ramp.hosts[index]!.host} at ${step.rate}/s x ${ramp.options.num_call}: ` +
      `${avg.toFixed(1)} replies/s (stddev ${stddev.toFixed(1)}, ${samples} samples of ${intervalS} s), ` +
      `response ${result.responseMs.toFixed(3)} ms, ${totalFailures(result.failures)} errors${kinds(measured)}`;
    for (const problem of measured.problems) yield `  not to be trusted: ${problem}`;
  }
}

function kinds({ result }: StepMeasured): string {
  const seen = Object.entries(result.failures).filter(([, count]) => count > 0);
  return seen.length > 0 ? ` (${seen.map(([kind, count]) => `${kind} ${count}`).join(', ')})` : '';
}
