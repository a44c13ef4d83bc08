/**
 * Tasks go on while brokers, providers, their workers and pages are killed at random: nothing is lost, and each task has one
 * answer, the right one. `node dist/test/offload/kills.js --kills 200 [--seed 1]` does as many as are wanted.
 */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { pathToFileURL } from 'node:url';
import { parseArgs } from 'node:util';
import WebSocket from 'ws';
import { Browser, usualBrowser } from '../../src/offload/browser.js';
import { OffloadClient } from '../../src/offload/client.js';
import { Connection, type SocketLike } from '../../src/offload/connection.js';
import { nodeMeans } from '../../src/offload/node-provider.js';
import { providerPath } from '../../src/offload/session.js';
import { readTokens } from '../../src/offload/tokens.js';
import { randomFrom } from '../../src/statistics/random.js';
import { modules } from '../gateways/hand-made-modules.js';
import { freePort } from '../support/free-port.js';
import { base64, text } from './running.js';

const cli = 'bin/dispatchbench.js';

/** A program of ours with --json. @returns once it said its first line */
async function started(args: readonly string[]): Promise<ChildProcess> {
  const child = spawn(process.execPath, [cli, ...args, '--json'], { stdio: ['pipe', 'pipe', 'ignore'] });
  await once(createInterface({ input: child.stdout! }), 'line');
  return child;
}

async function killed(child: ChildProcess): Promise<void> {
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

export interface Survived {
  kills: Record<string, number>;
  tasks: number;
  /** that were given to more than one provider */
  again: number;
}

export async function killAtRandom(wanted: number, seed: number): Promise<Survived> {
  const random = randomFrom(`kills ${seed}`);
  const folder = mkdtempSync(join(tmpdir(), 'dispatchbench-kills-'));
  const port = await freePort();
  const at = { host: '127.0.0.1', port };
  const brokerArgs = ['broker', '--folder', folder, '--port', `${port}`, '--attempts', '1000'];
  let broker = await started(brokerArgs);
  const tokens = readTokens(folder);
  const providerArgs = ['provider', '--broker', `127.0.0.1:${port}`, '--folder', folder, '--workers', '2'];
  let provider = await started([...providerArgs, '--name', 'process']);

  // A provider whose workers are killed, in this process.
  const workers: { end(): void }[] = [];
  const means = nodeMeans(at, tokens.provider);
  const own = new Connection(
    () => new WebSocket(`ws://127.0.0.1:${port}${providerPath}`) as unknown as SocketLike,
    {
      ...means,
      startWorker(message, gone) {
        const worker = means.startWorker(message, gone);
        workers.push(worker);
        return worker;
      },
    },
    { token: tokens.provider, name: 'own', workers: 1, ahead: 1 },
    { welcome() {}, started() {}, ended() {}, away() {} },
  );
  const page = () =>
    new Browser(
      usualBrowser(),
      at,
      [{ token: tokens.provider, name: 'page', workers: 1, ahead: 1 }],
      () => {},
    );
  let browser = existsSync(usualBrowser()) ? page() : null;

  const client = new OffloadClient(at, tokens.client, { ms: 120_000 });
  try {
    const module = await client.upload(modules.busy);
    const answers = new Map<string, number>();
    let again = 0;
    let stopped = false;
    const loop = async (lane: number) => {
      for (let number = 0; !stopped; number++) {
        const id = `task-${seed}-${lane}-${number}`;
        const { outcome, attempts } = await client.run({ id, module, stdin: base64(id) });
        assert.equal(outcome.state === 'done' ? text(outcome.stdout) : outcome.reason, `wasm:${id}`);
        answers.set(id, (answers.get(id) ?? 0) + 1);
        if (attempts > 1) again += 1;
      }
    };
    const lanes = Promise.all(Array.from({ length: 8 }, (_, lane) => loop(lane)));
    // Whatever breaks a lane ends all of this.
    lanes.catch(() => {
      stopped = true;
    });
    const kills: Record<string, number> = { broker: 0, process: 0, worker: 0, page: 0 };
    for (let kill = 0; kill < wanted && !stopped; kill++) {
      // In the middle of the work: a few more tasks have been answered since the last one.
      const enough = answers.size + 1 + Math.floor(random() * 8);
      while (answers.size < enough && !stopped) await new Promise((next) => setTimeout(next, 1));
      const what = random();
      if (what < 0.25) {
        await killed(broker);
        broker = await started(brokerArgs);
        kills.broker! += 1;
      } else if (what < 0.45) {
        await killed(provider);
        provider = await started([...providerArgs, '--name', 'process']);
        kills.process! += 1;
      } else if (what < 0.9 || browser === null) {
        workers.at(-1)?.end();
        kills.worker! += 1;
      } else {
        await browser.end();
        browser = page();
        kills.page! += 1;
      }
    }
    stopped = true;
    await lanes;
    // What was written down says the same: each task came in once, and was answered once.
    const entries = readFileSync(join(folder, 'journal.ndjson'), 'utf8')
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line) as { accepted?: { id: string }; answered?: { id: string } });
    const written = entries.flatMap(({ answered }) => (answered ? [answered.id] : []));
    assert.equal(new Set(written).size, written.length, 'a task was answered twice');
    assert.deepEqual(written.sort(), [...answers.keys()].sort());
    assert.deepEqual(
      entries.flatMap(({ accepted }) => (accepted ? [accepted.id] : [])).sort(),
      [...answers.keys()].sort(),
    );
    assert.ok([...answers.values()].every((times) => times === 1));
    return { kills, tasks: answers.size, again };
  } finally {
    client.close();
    own.stop();
    await browser?.end();
    await killed(provider);
    await killed(broker);
    rmSync(folder, { recursive: true, force: true });
  }
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const { values } = parseArgs({
    options: { kills: { type: 'string', default: '20' }, seed: { type: 'string', default: '1' } },
  });
  console.log(JSON.stringify(await killAtRandom(Number(values.kills), Number(values.seed))));
}
