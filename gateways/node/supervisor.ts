/**
 * Watches a module as the gateways do that exchange it themselves, and brings each new one to its clients in another way:
 *   supervisor.js --way WAY --module FILE --listen ADDRESS:PORT -- command...
 * `restart`: the command ends and starts again. `hand-over`: a new one starts beside it. `nginx`: the command is nginx,
 * which answers with the version and reads its configuration again. `reboot`: the command is a virtual machine's.
 * `container`: it is that of `docker run`, whose container gets the version as `--hello`.
 */
import { endpointOf, UsageError } from './options.js';
import { run } from './program.js';
import { renewals } from './renewal.js';
import { whenPutInPlace } from './watching.js';

const isWay = (text: string | undefined): text is keyof typeof renewals =>
  Object.hasOwn(renewals, text ?? '');

function parse(args: readonly string[]) {
  const dashes = args.indexOf('--');
  const given = new Map<string, string>();
  for (let i = 0; i < Math.max(dashes, 0); i += 2) given.set(args[i]!, args[i + 1]!);
  const [way, module, listen] = ['--way', '--module', '--listen'].map((name) => given.get(name));
  if (!isWay(way))
    throw new UsageError(`--way must be one of ${Object.keys(renewals).join(', ')}, not '${way}'`);
  if (module === undefined || listen === undefined || dashes < 0 || dashes + 1 === args.length)
    throw new UsageError('it takes --way, --module and --listen, and behind -- a command');
  return {
    way,
    supervised: { command: args.slice(dashes + 1), module, listen: endpointOf('listen', listen, 1) },
  };
}

await run(async (args) => {
  const { way, supervised } = parse(args);
  const renewal = renewals[way](supervised);
  const end = () => {
    renewal.end();
    process.exit(0);
  };
  process.on('SIGTERM', end).on('SIGINT', end);
  let work: Promise<void> = renewal.renew();
  const fail = (reason: string) => {
    process.stderr.write(`dispatchbench-supervisor: ${reason}\n`);
  };
  whenPutInPlace(
    [supervised.module],
    () => {
      work = work
        .then(() => renewal.renew())
        .catch((error: Error) => {
          fail(error.message);
        });
    },
    fail,
  );
  await work;
});
