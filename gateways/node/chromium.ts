/**
 * Has a device module answer requests in a page of Chromium: chromium.js PROGRAM FILE, lines of requests on standard input,
 * their answers on standard output. The page is a file of its own in a folder of its own; it is asked for nothing but what
 * it has become when it is loaded.
 */
import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { UsageError } from './options.js';
import { run } from './program.js';

/** A browser that starts on a busy machine; one that hangs is ended. */
const longestMs = 60_000;

/** Text of an element that holds base64 alone. */
const element = (name: string) => new RegExp(`<pre id="${name}">([A-Za-z0-9+/=]+)</pre>`);

const base64 = (bytes: Uint8Array): string => Buffer.from(bytes).toString('base64');

/** @param module and @param input in base64, which closes no element */
function page(module: string, input: string): string {
  const library = readFileSync(new URL('device-library.js', import.meta.url), 'utf8');
  return `<!doctype html><meta charset="utf-8"><title>a device module</title>
<script type="module">
${library}
const bytes = (text) => Uint8Array.from(atob(text), (one) => one.charCodeAt(0));
const show = (id, text) => {
  const element = document.createElement('pre');
  element.id = id;
  element.textContent = btoa(Array.from(new TextEncoder().encode(text), (one) => String.fromCharCode(one)).join(''));
  document.body.append(element);
};
try {
  const library = new Library(new WebAssembly.Module(bytes('${module}')));
  const lines = new TextDecoder().decode(bytes('${input}')).split('\\n').filter((line) => line !== '');
  show('answers', lines.map((line) => library.answerText(line) + '\\n').join(''));
} catch (error) {
  show('failure', String(error));
}
</script>
<body></body>`;
}

/** What the page has become; empty: the browser did not say. */
function dumped(program: string, profile: string, file: string): Promise<string> {
  const browser = spawn(
    program,
    [
      ...['--headless=new', '--disable-gpu', '--no-first-run', '--disable-background-networking'],
      // Root has no sandbox of Chromium; what is loaded is our own file.
      ...(process.getuid?.() === 0 ? ['--no-sandbox'] : []),
      ...[`--user-data-dir=${profile}`, '--dump-dom', `file://${file}`],
    ],
    { stdio: ['ignore', 'pipe', 'ignore'], timeout: longestMs, killSignal: 'SIGKILL' },
  );
  const end = () => browser.kill('SIGKILL');
  process.once('SIGTERM', () => {
    end();
    process.exit(0);
  });
  process.once('exit', end);
  let text = '';
  browser.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  return new Promise((done, refused) => {
    browser.once('error', (error) => refused(new Error(`${program} cannot be started: ${error.message}`)));
    browser.once('close', () => done(text));
  });
}

await run(async ([program, file]) => {
  if (program === undefined || file === undefined)
    throw new UsageError('say which browser and which module: chromium.js PROGRAM FILE');
  const input = readFileSync(0);
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-chromium-'));
  try {
    const place = join(folder, 'page.html');
    writeFileSync(place, page(base64(readFileSync(file)), base64(input)));
    const text = await dumped(program, join(folder, 'profile'), place);
    const decoded = (name: string) => {
      const found = element(name).exec(text)?.[1];
      return found === undefined ? null : Buffer.from(found, 'base64').toString();
    };
    const answers = decoded('answers');
    if (answers === null)
      throw new Error(`no answer in ${program}: ${decoded('failure') ?? 'it showed no page'}`);
    process.stdout.write(answers);
  } finally {
    rmSync(folder, { recursive: true, force: true, maxRetries: 5 });
  }
});
