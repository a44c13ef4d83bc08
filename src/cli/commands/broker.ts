/** `dispatchbench broker`: hands tasks of clients out to providers until it is interrupted. */
import { Command, Option } from '@commander-js/extra-typings';
import type { z } from 'zod';
import { type brokerReady, offloadSchedulers, offloadTransports } from '../../contract/offload.js';
import { printLine } from '../../control.js';
import { Broker, usualOptions } from '../../offload/broker.js';
import { durabilities } from '../../offload/journal.js';
import { buildSidecar } from '../../offload/sidecar.js';
import { tokensFile } from '../../offload/tokens.js';
import { percentage, wholeNumber } from '../../options.js';
import { folderOption } from '../broker-options.js';
import { withExamples } from '../examples.js';

const { uploads, queue } = usualOptions;
const MiB = 2 ** 20;

export const broker = new Command('broker')
  .description(
    'Broker of tasks in WebAssembly: clients ask over HTTP, providers are pages that anybody may open, or processes.',
  )
  .addOption(folderOption('what it keeps: journal, content, tokens'))
  .option('--host <address>', 'address to listen on', usualOptions.host)
  .option('--port <port>', 'port to listen on; 0: any', wholeNumber(0, 65535), 7171)
  .addOption(
    new Option('--scheduler <name>', 'who is given the next task')
      .choices(offloadSchedulers)
      .default(usualOptions.scheduler),
  )
  .option(
    '--queue <n>',
    'tasks that may wait; further ones are refused',
    wholeNumber(1, 1_000_000),
    queue.tasks,
  )
  .option(
    '--attempts <n>',
    'providers that a task is given to, at most',
    wholeNumber(1, 1000),
    usualOptions.attempts,
  )
  .option('--upload-mib <n>', 'most of one upload', wholeNumber(1, 1024), uploads.one / MiB)
  .option('--content-mib <n>', 'most of all uploads together', wholeNumber(1, 1 << 20), uploads.all / MiB)
  .option(
    '--verify <percent>',
    'of the tasks, which are run by a second provider, and by a third where the two differ',
    percentage,
    usualOptions.verify,
  )
  .addOption(
    new Option(
      '--durability <of>',
      'what accepted tasks and answers survive: the end of this process, or of the machine (waits for the disk)',
    )
      .choices(durabilities)
      .default(usualOptions.durability),
  )
  .addOption(
    new Option(
      '--transport <name>',
      'how pages are connected; WebTransport is for those of this machine, by what --setup builds',
    )
      .choices(offloadTransports)
      .default(usualOptions.transport),
  )
  .option('--setup', 'build what carries WebTransport (a program in Go, in a checkout), and end')
  .option('--json', 'say by one JSON line when it listens')
  .action(
    async ({
      folder,
      host,
      port,
      scheduler,
      queue: tasks,
      attempts,
      uploadMib,
      contentMib,
      durability,
      transport,
      verify,
      setup,
      json,
    }) => {
      if (setup) {
        console.log(buildSidecar((line) => console.error(line)));
        return;
      }
      const running = await Broker.open({
        ...usualOptions,
        folder,
        host,
        port,
        scheduler,
        queue: { ...queue, tasks },
        attempts,
        uploads: { one: uploadMib * MiB, all: contentMib * MiB },
        durability,
        transport,
        verify,
        say: (line) => console.error(`broker: ${line}`),
      });
      for (const signal of ['SIGINT', 'SIGTERM'] as const)
        process.once(signal, () => void running.close().then(() => process.exit(0)));
      if (json) {
        // Whoever reads lines is a parent: it ends with it.
        process.stdin.on('end', () => void running.close().then(() => process.exit(0))).resume();
        const line: z.infer<typeof brokerReady> = {
          event: 'broker',
          port: running.port,
          open: running.openTasks,
        };
        printLine(line);
        return;
      }
      const shown = host.includes(':') ? `[${host}]` : host;
      const page = `http://${shown}:${running.port}/#token=${running.tokens.provider}`;
      console.log(`Open this page in a browser to lend it:\n  ${page}`);
      console.log(`Clients use 'dispatchbench offload' with the token in ${tokensFile(folder)}.`);
      if (running.openTasks > 0) console.log(`${running.openTasks} tasks of before have no answer yet.`);
      console.log('(Ctrl-C ends it.)');
    },
  );

withExamples(broker, [
  ['broker', 'a broker on this machine, with a page for those who lend theirs'],
  [
    'broker --folder tasks --durability machine --port 0',
    'one whose tasks outlast a loss of power, on any free port',
  ],
]);
