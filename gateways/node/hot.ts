/** The gateway on node:http whose GET / a WebAssembly module answers that is exchanged while it serves. */
import type { Hello } from './http-gateway.js';

const main = process.hrtime.bigint();
const { run } = await import('./program.js');
const { parseOptions, UsageError } = await import('./options.js');
const { moduleOptions, readModuleOptions } = await import('./module-options.js');
const { withDeadline } = await import('./deadline.js');
const { HotModule } = await import('./hot-module.js');
const { serveHttp } = await import('./http-gateway.js');
const { publicKey } = await import('./trust.js');

const input = Buffer.from('hello');

await run(async (args) => {
  const options = parseOptions(args, { ...moduleOptions, watch: 'on', digests: '', key: '' });
  const { watch, digests, key } = options.more;
  if (watch !== 'on' && watch !== 'off') throw new UsageError(`--watch must be on or off, not '${watch}'`);
  const { file, deadlineMs } = readModuleOptions(options.more);
  const hot = await HotModule.start(
    file,
    {
      digests: digests === '' ? null : digests,
      key: key === '' ? null : publicKey(key),
    },
    watch === 'on',
  );
  const compiled = process.hrtime.bigint();
  const work = withDeadline(deadlineMs, () => hot.run(input));
  function hello(): Hello {
    try {
      return work();
    } catch (error) {
      hot.beginAnew((error as Error).message);
      throw error;
    }
  }
  return serveHttp(options, {
    mode: 'hot',
    module: hot.module,
    phases: { main, compiled, instantiated: compiled },
    hello,
  });
});
