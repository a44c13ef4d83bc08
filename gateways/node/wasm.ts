/** The gateway on node:http whose GET / is what a WebAssembly module makes of `hello`, in a fresh instance each time. */
const main = process.hrtime.bigint();
const { createHash } = await import('node:crypto');
const { readFileSync } = await import('node:fs');
const { setFlagsFromString } = await import('node:v8');
const { run } = await import('./program.js');
const { numberOf, parseOptions, UsageError } = await import('./options.js');
const { withDeadline } = await import('./deadline.js');
const { Guest } = await import('./guest.js');
const { serveHttp } = await import('./http-gateway.js');

const input = Buffer.from('hello');
const PAGES_PER_MIB = 16;

function load(file: string) {
  if (file === '') throw new UsageError('--module is missing: the file of a wasm32-wasip1 command');
  try {
    const bytes = readFileSync(file);
    const sha256 = createHash('sha256').update(bytes).digest('hex');
    return { guest: new Guest(bytes), module: { file, sha256, bytes: bytes.length } };
  } catch (error) {
    throw new Error(`module ${file} cannot be used: ${(error as Error).message}`);
  }
}

await run((args) => {
  const options = parseOptions(args, { module: '', 'memory-mb': '64', 'deadline-ms': '0' });
  const { module: file, 'memory-mb': memory, 'deadline-ms': deadline } = options.more;
  const pages = numberOf('memory-mb', memory, 1, 4096) * PAGES_PER_MIB;
  const deadlineMs = numberOf('deadline-ms', deadline, 0, 3_600_000);
  setFlagsFromString(`--wasm-max-mem-pages=${pages}`); // before anything is compiled
  const { guest, module } = load(file);
  const compiled = process.hrtime.bigint();
  return serveHttp(options, {
    mode: 'wasm',
    module,
    phases: { main, compiled, instantiated: null },
    hello: withDeadline(deadlineMs, () => guest.run(input)),
  });
});

export {};
