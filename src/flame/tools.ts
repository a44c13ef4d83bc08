/**
 * 0x and clinic flame on our servers, for readers who know them. They are installed when first asked for, into a
 * folder of their own, because together they bring 700 packages. Neither shows kernel, libuv or addon frames.
 */
import { mkdirSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { hello } from '../contract/server.js';
import type { Command, Host } from '../hosts/host.js';
import { install } from '../on-demand.js';
import { pinning } from '../run/pinning.js';
import { programs } from '../run/programs.js';
import { type ServerChoice, specOf } from './flame.js';

export const toolNames = ['0x', 'clinic'] as const;
export type ToolName = (typeof toolNames)[number];

const autocannon = 'autocannon@8.0.0';

interface Tool {
  packages: string[];
  /** the tool around `server`; `bin` is its node_modules/.bin, results go to `folder` */
  command(bin: string, folder: string, server: string[]): Command;
}

const tools: Record<ToolName, Tool> = {
  '0x': {
    packages: ['0x@6.0.0', autocannon],
    command: (bin, folder, server) => ({
      command: join(bin, '0x'),
      // Its logs go to the working folder first and are then moved, so the two must differ.
      args: ['--output-dir', join(folder, '0x'), '--working-dir', folder, '--', ...server],
    }),
  },
  clinic: {
    packages: ['clinic@13.0.0', autocannon],
    // It would report its use to its makers, ask for updates and open a browser.
    command: (bin, folder, server) => ({
      command: 'env',
      args: [
        'NO_INSIGHT=1',
        'NO_UPDATE_NOTIFIER=1',
        join(bin, 'clinic'),
        'flame',
        '--open=false',
        '--dest',
        folder,
        '--',
        ...server,
      ],
    }),
  },
};

export interface ToolContext {
  host: Host;
  folder: string;
  connections: number;
  durationMs: number;
  say(line: string): void;
}

export interface ToolResult {
  tool: ToolName;
  page: string;
  scope: string;
}

const answerMs = 30_000;
/** The tools turn their logs into pages after the server has ended. */
const renderMs = 180_000;

/** @throws Error with one sentence when the tool cannot be installed, or left no page */
export async function runTool(
  name: ToolName,
  choice: ServerChoice,
  context: ToolContext,
): Promise<ToolResult> {
  const { host, folder, connections, durationMs, say } = context;
  const server = programs.server({ ...specOf(choice), cpus: pinning(host.cpus()).server });
  if (server.command !== process.execPath) {
    throw new Error(`${name} profiles Node.js only: take --impl ts or --impl libuv, or leave out --with`);
  }
  const modules = install({ name, packages: tools[name].packages }, say);
  mkdirSync(folder, { recursive: true });
  say(`${name}: ${choice.impl} server under autocannon for ${durationMs / 1000} s ...`);
  const command = tools[name].command(join(modules, '.bin'), folder, [server.command, ...server.args]);
  const profiled = host.spawn(name, command);
  let line: ReturnType<typeof hello.parse>;
  try {
    line = hello.parse(await profiled.expect('hello', answerMs));
    const load = host.spawn('autocannon', {
      command: process.execPath,
      args: [
        join(modules, 'autocannon/autocannon.js'),
        ...['--connections', String(connections), '--duration', String(Math.ceil(durationMs / 1000))],
        `http://${line.address}:${line.port}/`,
      ],
    });
    // It ends by itself; closing its input does not disturb it.
    await load.end(durationMs + answerMs);
  } finally {
    // The end of its control channel ends the server, and that sets the tool to work.
    await profiled.end(renderMs);
  }
  const page = readdirSync(folder, { recursive: true })
    .map(String)
    .find((file) => file.endsWith('.html'));
  if (!page)
    throw new Error(`${name} left no page in ${folder}: ${profiled.stderrTail().replaceAll('\n', ' | ')}`);
  return {
    tool: name,
    page: join(folder, page),
    scope:
      'JavaScript and V8 only: no kernel, libuv or addon frame; system calls appear inside their JavaScript caller',
  };
}
