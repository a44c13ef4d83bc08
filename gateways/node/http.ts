/** The gateway on node:http. */
const main = process.hrtime.bigint();
const { run } = await import('./program.js');
const { parseOptions } = await import('./options.js');
const { serveHttp } = await import('./http-gateway.js');

const hello = Buffer.from('hello');
await run((args) =>
  serveHttp(parseOptions(args), {
    mode: 'http',
    module: null,
    phases: { main, compiled: null, instantiated: null },
    hello: () => ({ body: hello }),
  }),
);

export {};
