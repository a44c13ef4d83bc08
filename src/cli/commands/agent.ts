import { Command } from '@commander-js/extra-typings';
import { serve } from '../../agent/agent.js';
import { agentFacts, defaultAgentName } from '../../agent/facts.js';
import { serveNats } from '../../agent/nats.js';
import { streamLink } from '../../carriers/link.js';
import { connectNats } from '../../carriers/nats.js';
import { agentName, command as frame, type Job, type Report } from '../../contract/agent.js';
import { validated } from '../../contract/validated.js';
import { startHere } from '../../hosts/local.js';
import { prepareStep } from '../../ramp/client.js';
import { withExamples } from '../examples.js';
import { natsOptions, withNatsOptions } from '../nats-options.js';

/** The load machine's side of a distributed ramp. */
export const agent = withNatsOptions(new Command('agent'))
  .description(
    'Load machine of a distributed ramp: takes jobs from a coordinator on stdin and stdout (ssh HOST dispatchbench agent), or through NATS.',
  )
  .option('--name <name>', 'how the coordinator calls it (default: the host name)')
  .action(async ({ name = defaultAgentName(), ...options }) => {
    const facts = agentFacts();
    const agent = {
      name: validated(agentName, name, `the name '${name}'`),
      facts,
      prepare: (job: Job) => prepareStep(job, startHere, { cores: facts.cores }),
    };
    const nats = natsOptions(options);
    if (!nats) {
      const link = streamLink<typeof frame, Report>('the coordinator', frame, process.stdin, process.stdout);
      const { how, fault } = await serve(link, agent);
      if (fault) console.error(`dispatchbench: ${how}`);
      process.exit(fault ? 1 : 0);
    }
    const connection = await connectNats(nats);
    const stop = new AbortController();
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => stop.abort());
    const waiting = () =>
      console.error(`agent ${agent.name}: waiting on ${connection.getServer()}, fleet ${nats.fleet}`);
    const { how, fault } = await serveNats(connection, nats.fleet, agent, waiting, stop.signal);
    console.error(`agent ${agent.name}: ${how}`);
    // An attempt to connect again may be on its way.
    process.exit(fault ? 1 : 0);
  });

withExamples(agent, [
  ['agent --name left', 'on stdin and stdout, as ssh starts it'],
  ['agent --nats nats://127.0.0.1:4222 --fleet lab --name right', 'through a NATS server'],
]);
