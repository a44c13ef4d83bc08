/** `dispatchbench provider`: lends this machine to a broker until it is interrupted. */
import { availableParallelism, hostname } from 'node:os';
import { Command, Option } from '@commander-js/extra-typings';
import type { z } from 'zod';
import { mostWorkers, type providerReady } from '../../contract/offload.js';
import { printLine } from '../../control.js';
import { Browser, usualBrowser } from '../../offload/browser.js';
import { nodeProvider } from '../../offload/node-provider.js';
import { cpuList, hostPort, wholeNumber } from '../../options.js';
import { setAffinity } from '../../process.js';
import { tokenFrom, withBrokerOptions } from '../broker-options.js';
import { withExamples } from '../examples.js';

export const provider = withBrokerOptions(new Command('provider'), 'provider')
  .description('Provider of a broker: runs its tasks in worker threads, or in a browser without a window.')
  .addOption(
    new Option('--workers <n>', 'tasks at the same time')
      .argParser(wholeNumber(1, mostWorkers))
      .default(availableParallelism(), 'one for each CPU'),
  )
  .addOption(
    new Option('--name <name>', 'how the broker calls it').default(
      hostname().replaceAll(/[^\w.-]/g, '-') || 'provider',
      "this machine's",
    ),
  )
  .option('--in-browser', 'run them in pages of a browser without a window instead')
  .option('--pages <n>', 'pages of that browser, each a provider', wholeNumber(1, 100), 1)
  .addOption(
    new Option('--browser <path>', 'the browser (Chromium)').default(usualBrowser(), 'where it is usually'),
  )
  .option('--cpu <list>', 'CPUs to run on', cpuList)
  .option('--json', 'say by JSON lines when it is connected, and end with stdin')
  .action(async (options) => {
    const {
      broker = hostPort('127.0.0.1:7171'),
      workers,
      name,
      inBrowser,
      pages,
      browser,
      cpu,
      json,
    } = options;
    const token = tokenFrom('provider', options);
    if (cpu) setAffinity(cpu);
    const about = { token, name, workers, ahead: workers };
    const say = (line: string) => console.error(`provider ${name}: ${line}`);
    let stop: () => Promise<void>;
    if (inBrowser) {
      const all = Array.from({ length: pages }, (_, at) => ({
        ...about,
        name: at === 0 ? name : `${name}-${at + 1}`,
      }));
      const started = new Browser(browser, broker, all, (code) => {
        say(`the browser has ended (${code ?? 'it could not be started'})`);
        process.exit(1);
      });
      stop = () => started.end();
      if (!json) say(`a browser was started with ${pages} pages of ${workers} workers (Ctrl-C ends it)`);
    } else {
      const connection = nodeProvider(broker, about, {
        welcome(called) {
          const line: z.infer<typeof providerReady> = { event: 'provider', name: called, workers };
          if (json) printLine(line);
          else say(`connected, ${workers} workers (Ctrl-C ends it)`);
        },
        started() {},
        ended(task, outcome, ms) {
          if (!json && outcome?.state === 'failed')
            say(`task ${task.id} failed after ${ms.toFixed(0)} ms: ${outcome.reason}`);
        },
        away(againMs, reason) {
          if (againMs === null) {
            console.error(`dispatchbench: the broker refuses this provider: ${reason}`);
            process.exit(1);
          }
          say(`${reason}; trying again in ${againMs} ms`);
        },
      });
      stop = async () => connection.stop();
    }
    const end = () => void stop().then(() => process.exit(0));
    for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, end);
    if (json) process.stdin.on('end', end).resume();
  });

withExamples(provider, [
  ['provider --workers 2', 'two tasks at a time for the broker of this machine'],
  ['provider --in-browser --pages 2', 'the same in two pages of a browser without a window'],
]);
