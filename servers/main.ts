/** The servers that run in Node. Options: options.ts; lines: src/contract/server.ts. */
import { isPolled, parseOptions, type ServerOptions } from './options.js';

/** Only what is asked for is loaded: start-up time counts in tests and short runs. */
async function serve(args: readonly string[], options: ServerOptions): Promise<void> {
  if (options.cpus.length > 0) (await import('../src/process.js')).setAffinity(options.cpus);
  if (options.impl === 'ts' && options.io === 'native') {
    return (await import('./io-native.js')).serveNative(args);
  }
  if (!isPolled(options)) return (await import('./completion.js')).serveCompletion(options, args);
  if (options.impl === 'libuv') return (await import('./libuv.js')).serveLibuv(options);
  if (options.protocol === 'udp-echo') {
    return (await import('./udp-echo.js')).serveUdpPolled(options, args);
  }
  return (await import('./polled.js')).servePolled(options);
}

try {
  const args = process.argv.slice(2);
  await serve(args, parseOptions(args));
} catch (error) {
  process.stderr.write(`dispatchbench-server: ${(error as Error).message}\n`);
  if (process.env.DISPATCHBENCH_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(1); // and not when what was opened before is closed, which nobody would do
}
