/** The gateway on node:http whose GET / is what a WebAssembly module makes of `hello`, in a fresh instance each time. */
const main = process.hrtime.bigint();
const { createHash } = await import('node:crypto');
const { readFileSync } = await import('node:fs');
const { run } = await import('./program.js');
const { parseOptions } = await import('./options.js');
const { moduleOptions, readModuleOptions } = await import('./module-options.js');
const { withDeadline } = await import('./deadline.js');
const { Guest } = await import('./guest.js');
const { serveHttp } = await import('./http-gateway.js');

const input = Buffer.from('hello');

function load(file: string) {
  try {
    const bytes = readFileSync(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { guest: new Guest(new WebAssembly.Module(bytes)), module: { file, sha256, bytes: bytes.length } };
  } catch (error) {
    throw new Error(`module ${file} cannot be used: ${(error as Error).message}`);
  }
}

await run((args) => {
  const options = parseOptions(args, moduleOptions);
  const { file, deadlineMs } = readModuleOptions(options.more);
  const { guest, module } = load(file);
  const compiled = process.hrtime.bigint();
  return serveHttp(options, {
    mode: 'wasm',
    module,
    phases: { main, compiled, instantiated: null },
    hello: withDeadline(deadlineMs, () => ({ body: guest.run(input) })),
  });
});

export {};
