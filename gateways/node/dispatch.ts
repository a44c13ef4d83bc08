/** The gateway on one of our pollers, in TypeScript. */
const main = process.hrtime.bigint();
const { backendNames } = await import('../../src/contract/names.js');
const { run } = await import('./program.js');
const { parseOptions, UsageError } = await import('./options.js');
const { serveDispatch } = await import('./dispatch-gateway.js');

function backendOf(text: string) {
  const backend = backendNames.find((name) => name === text);
  if (backend) return backend;
  throw new UsageError(`--backend must be one of ${backendNames.join(', ')}, not '${text}'`);
}

await run((args) => {
  const options = parseOptions(args, { backend: '' });
  serveDispatch(options, backendOf(options.more.backend), main);
});

export {};
