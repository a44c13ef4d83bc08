/** `dispatchbench offload`: one task, as if its module ran here: stdin in, stdout, stderr and exit code out. */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { Command, InvalidArgumentError } from '@commander-js/extra-typings';
import { mostOfTask, taskPath, usualLimits } from '../../contract/offload.js';
import { printable } from '../../contract/printable.js';
import { OffloadClient, stepsOf } from '../../offload/client.js';
import { durationOption, hostPort, wholeNumber } from '../../options.js';
import { tokenFrom, withBrokerOptions } from '../broker-options.js';
import { withExamples } from '../examples.js';

const pair = (text: string, previous: Record<string, string> = {}): Record<string, string> => {
  const at = text.indexOf('=');
  if (at < 1) throw new InvalidArgumentError(`'${text}' is not NAME=VALUE.`);
  return { ...previous, [text.slice(0, at)]: text.slice(at + 1) };
};

const file = (text: string, previous: Record<string, string> = {}): Record<string, string> => {
  const [name, from] = text.includes('=') ? text.split('=', 2) : [basename(text), text];
  if (!taskPath.safeParse(name).success)
    throw new InvalidArgumentError(`'${name}' is no name of a file in the task's folder: write NAME=FILE.`);
  return { ...previous, [name!]: from! };
};

const output = (text: string, previous: string[] = []): string[] => {
  if (!taskPath.safeParse(text).success)
    throw new InvalidArgumentError(`'${text}' is no name of a file in the task's folder.`);
  return [...previous, text];
};

async function readStdin(): Promise<Buffer> {
  const parts: Buffer[] = [];
  for await (const part of process.stdin) parts.push(part as Buffer);
  return Buffer.concat(parts);
}

export const offload = withBrokerOptions(new Command('offload'), 'client')
  .description(
    "Runs a module of WebAssembly (a WASI command) at whoever a broker finds for it, as if it ran here; its exit code is this command's.",
  )
  .argument('<module>', 'the .wasm file')
  .argument('[arguments...]', 'of the module; write -- before those that begin with -')
  .option('--env <name=value>', 'its environment; may be given several times', pair)
  .option('--stdin', 'send it what this command is given on stdin')
  .option('--file <name=file>', 'a file that it finds in its folder; may be given several times', file)
  .option('--output <name>', 'a file that it leaves, to be fetched; may be given several times', output)
  .option('--into <folder>', 'where those go', '.')
  .addOption(durationOption('--time <time>', 'it may take', `${usualLimits.ms / 1000}s`))
  .option('--memory-mib <n>', 'it may have', wholeNumber(1, mostOfTask.memoryMiB), usualLimits.memoryMiB)
  .option(
    '--output-bytes <n>',
    'it may write',
    wholeNumber(0, mostOfTask.outputBytes),
    usualLimits.outputBytes,
  )
  .addOption(durationOption('--patience <time>', 'a broker that is away or full is asked again for', '30s'))
  .option('--trace', 'say on stderr where the time went')
  .action(async (path, args, options) => {
    const { broker = hostPort('127.0.0.1:7171'), env = {}, file: files = {}, output: outputs = [] } = options;
    const client = new OffloadClient(broker, tokenFrom('client', options), { ms: options.patience / 1e6 });
    const module = await client.upload(readFileSync(path));
    const named: Record<string, string> = {};
    for (const [name, from] of Object.entries(files)) named[name] = await client.upload(readFileSync(from));
    const answered = await client.run({
      module,
      args,
      env,
      stdin: options.stdin ? (await readStdin()).toString('base64') : '',
      files: named,
      outputs,
      limits: {
        ms: Math.max(1, Math.round(options.time / 1e6)),
        memoryMiB: options.memoryMib,
        outputBytes: options.outputBytes,
      },
    });
    client.close();
    const steps = stepsOf(answered);
    if (options.trace && steps) {
      const words = Object.entries(steps).map(([name, ms]) => `${name} ${ms.toFixed(2)}`);
      console.error(`${words.join(', ')} ms; by ${answered.provider}, attempts: ${answered.attempts}`);
    }
    const { outcome, compared } = answered;
    if (compared && compared.agreeing < compared.results)
      console.error(
        `${compared.results} providers ran it and ${compared.agreeing} came to this: do not rely on it`,
      );
    process.stderr.write(Buffer.from(outcome.stderr ?? '', 'base64'));
    if (outcome.state === 'failed') throw new Error(`the task failed: ${printable(outcome.reason)}`);
    for (const [name, content] of Object.entries(outcome.files)) {
      // The broker answers only with names that were asked for, which lead nowhere else.
      const to = join(options.into, taskPath.parse(name));
      mkdirSync(dirname(to), { recursive: true });
      writeFileSync(to, Buffer.from(content, 'base64'));
    }
    process.stdout.write(Buffer.from(outcome.stdout, 'base64'));
    process.exitCode = outcome.exitCode;
  });

withExamples(offload, [
  ['offload tsp.wasm 10', 'one module with an argument, by whoever is there'],
  [
    'offload --trace --file in.txt=notes.txt --output out.txt convert.wasm in.txt out.txt',
    'a file in, a file out, and where the time went',
  ],
]);
