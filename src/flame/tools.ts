/**
 * 0x and clinic flame on our servers, for readers who know them. They are installed when first asked for, into a
 * folder of their own, because together they bring 700 packages. Neither shows kernel, libuv or addon frames.
 */
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { usableFolder } from '../files.js';
import type { HostProcess } from '../hosts/host.js';
import type { Command } from '../hosts/program.js';
import { install } from '../on-demand.js';
import { targetText } from '../options.js';
import { onStage, type Site } from '../stage/on-stage.js';
import { answerMs } from '../stage/patience.js';
import { requireReachable, type ServerChoice, subjectOf } from './flame.js';

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
  site: Site;
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

/** The tools turn their logs into pages after the server has ended. */
const renderMs = 180_000;

/** @throws Error with one sentence when the tool cannot be installed, or left no page */
export async function runTool(
  name: ToolName,
  choice: ServerChoice,
  context: ToolContext,
): Promise<ToolResult> {
  const { site, folder, connections, durationMs, say } = context;
  requireReachable(site.roles.server);
  if (choice.impl !== 'ts' && choice.impl !== 'libuv') {
    throw new Error(`${name} profiles Node.js only: take --impl ts or --impl libuv, or leave out --with`);
  }
  const modules = install({ name, packages: tools[name].packages }, say);
  usableFolder(folder);
  say(`${name}: ${choice.impl} server under autocannon for ${durationMs / 1000} s ...`);
  const bin = join(modules, '.bin');
  const lastWords = await onStage(site, async (stage) => {
    let profiled: HostProcess | null = null;
    try {
      const servers = await stage.serve(subjectOf(choice), {
        adapt: ({ command, args }) => tools[name].command(bin, folder, [command, ...args]),
        started(server) {
          profiled = server;
        },
      });
      const { client } = stage.roles;
      const load = client.spawn('autocannon', {
        command: process.execPath,
        args: [
          join(modules, 'autocannon/autocannon.js'),
          ...['--connections', String(connections), '--duration', String(Math.ceil(durationMs / 1000))],
          `http://${targetText(servers.targets[0]!)}/`,
        ],
      });
      // It ends by itself; closing its input does not disturb it.
      await load.end(durationMs + answerMs);
    } finally {
      // The end of its control channel ends the server, and that sets the tool to work.
      await (profiled as HostProcess | null)?.end(renderMs);
    }
    return (profiled as HostProcess | null)?.stderrTail() ?? '';
  });
  const page = readdirSync(folder, { recursive: true })
    .map(String)
    .find((file) => file.endsWith('.html'));
  if (!page) throw new Error(`${name} left no page in ${folder}: ${lastWords.replaceAll('\n', ' | ')}`);
  return {
    tool: name,
    page: join(folder, page),
    scope:
      'JavaScript and V8 only: no kernel, libuv or addon frame; system calls appear inside their JavaScript caller',
  };
}
