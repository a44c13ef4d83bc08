/** `dispatchbench hosts`: the kinds of hosts there can be here, and hosts to look at, keep, enter and clear away. */
import { Command } from '@commander-js/extra-typings';
import { wantedName } from '../../contract/hosts-file.js';
import { guests, inWords as inWordsOfGuest } from '../../hosts/guests.js';
import type { Roles } from '../../hosts/host.js';
import { removeLeftovers } from '../../hosts/leftovers.js';
import { hostKinds, openWanted } from '../../hosts/registry.js';
import { counted } from '../../number.js';
import { RunHosts } from '../../run/hosts.js';
import { withExamples } from '../examples.js';
import { interruption } from '../interruption.js';
import { progress } from '../progress.js';
import { wantedHosts } from '../wanted-hosts.js';
import { fetchGuest } from './hosts-fetch.js';
import { shell } from './hosts-shell.js';

const list = new Command('list')
  .description(
    'list the kinds of hosts that --host takes: available here, or why not and what to do; and guests to be had',
  )
  .option('--json', 'print one JSON array instead')
  .action(async ({ json }) => {
    const rows = [];
    for (const { id, summary, unavailable } of hostKinds)
      rows.push({ id, summary, unavailable: await unavailable() });
    const images = guests().filter(({ image }) => image.kind !== 'made-here');
    const machines = images.map((guest) => ({
      guest: guest.id,
      summary: `${guest.os} ${guest.version}, a virtual machine of your own`,
      how: inWordsOfGuest(guest),
    }));
    if (json) return console.log(JSON.stringify([...rows, ...machines], null, 2));
    for (const row of rows) {
      const state = row.unavailable === null ? 'available' : `not available here: ${row.unavailable}`;
      console.log(`${row.id}\n  ${row.summary}\n  ${state}`);
    }
    for (const { guest, summary, how } of machines) console.log(`${guest}\n  ${summary}\n  ${how}`);
  });

/** What a host that is up says of itself. */
function lookOf({ name, server, client }: Roles) {
  const { facts, look } = server;
  return {
    host: name,
    executionClass: facts.executionClass,
    hypervisor: facts.hypervisor,
    accelerator: facts.accelerator,
    kernel: facts.kernel,
    cpus: look.cpus.length,
    clock: { source: facts.clockSource, stepNs: facts.clockStepNs },
    transport: facts.transport,
    client: client === server ? 'inside' : 'outside',
    backends: look.backends.filter(({ available }) => available).map(({ name: backend }) => backend),
  };
}

function inWords(seen: ReturnType<typeof lookOf>, upMs: number | null): string {
  const below = [seen.hypervisor, seen.accelerator].filter(Boolean).join(', ');
  return [
    `${seen.host}: ${seen.executionClass}${below ? ` (${below})` : ''}${upMs === null ? '' : `, up after ${(upMs / 1000).toFixed(1)} s`}`,
    `  ${seen.kernel}, ${counted(seen.cpus, 'CPU')}, clock ${seen.clock.source} in steps of ${seen.clock.stepNs} ns`,
    `  client ${seen.client}, over ${seen.transport}`,
    `  mechanisms: ${seen.backends.join(', ')}`,
  ].join('\n');
}

const check = new Command('check')
  .description('start hosts one after the other, say what each is and how long it took, and end it again')
  .argument('[hosts...]', 'as behind --host of run; every host of this machine when left out')
  .option('--hosts <file>', 'hosts as a file: see docs/examples/hosts.yaml')
  .option('--json', 'print one JSON object a line')
  .addHelpText('after', '\nExit code 1: one of them could not be started.')
  .action(async (names, { hosts: file, json = false }) => {
    const interrupt = interruption(() => process.stderr.write('interrupted: the host is ended\n'));
    const { hosts, absent } = await wantedHosts(names, file);
    const view = progress({ json: false, quiet: json });
    for (const one of hosts) {
      if (interrupt.signal.aborted) break;
      const host = new RunHosts();
      const began = performance.now();
      try {
        await host.open([one], openWanted, view.show, interrupt.signal);
        const upMs = performance.now() - began;
        const seen = lookOf(host.opened[0]!);
        console.log(json ? JSON.stringify({ ...seen, upMs }) : inWords(seen, upMs));
      } catch (error) {
        const { message: reason } = error as Error;
        if (json) console.log(JSON.stringify({ host: wantedName(one), reason }));
        process.exitCode = 1;
      } finally {
        await host.close();
      }
    }
    view.close();
    for (const { host, reason } of absent)
      console.log(json ? JSON.stringify({ host, reason }) : `${host}: not available here: ${reason}`);
    if (interrupt.signal.aborted) process.exitCode = interrupt.exitCode();
  });

const up = new Command('up')
  .description('start hosts and keep them standing until Ctrl-C, then end them')
  .argument('[hosts...]', 'as behind --host of run; every host of this machine when left out')
  .option('--hosts <file>', 'hosts as a file: see docs/examples/hosts.yaml')
  .action(async (names, { hosts: file }) => {
    const interrupt = interruption(() => process.stderr.write('ending the hosts\n'));
    const { hosts } = await wantedHosts(names, file);
    const standing = new RunHosts();
    const view = progress({ json: false, quiet: false });
    try {
      await standing.open(hosts, openWanted, view.show, interrupt.signal);
      for (const roles of standing.opened) console.log(inWords(lookOf(roles), null));
      console.log(`${counted(standing.opened.length, 'host')} up: Ctrl-C ends them`);
      if (standing.absent.length > 0) process.exitCode = 1;
      await untilAborted(interrupt.signal);
    } catch (error) {
      if (!interrupt.signal.aborted) throw error;
      process.exitCode = interrupt.exitCode();
    } finally {
      view.close();
      await standing.close();
    }
  });

/** A signal alone keeps no process running. */
function untilAborted(signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const awake = setInterval(() => {}, 60_000);
    const done = () => {
      clearInterval(awake);
      resolve();
    };
    if (signal.aborted) done();
    else signal.addEventListener('abort', done, { once: true });
  });
}

const down = new Command('down')
  .description('remove what hosts of runners that are gone have left; those of living ones are not touched')
  .option('--json', 'print one JSON array instead')
  .action(({ json }) => {
    const removed = removeLeftovers();
    if (removed.some(({ failed }) => failed.length > 0)) process.exitCode = 1;
    if (json) return console.log(JSON.stringify(removed, null, 2));
    if (removed.length === 0) return console.log('nothing is left of hosts whose runner is gone');
    for (const { runner, done, failed } of removed) {
      for (const what of done) console.log(`of runner ${runner}: ${what}`);
      for (const what of failed)
        console.log(`of runner ${runner}, failed and kept for another time: ${what}`);
    }
  });

export const hosts = new Command('hosts')
  .description(
    'the hosts that --host takes: list their kinds, check, keep up, enter, fetch images for, and clear away',
  )
  .addCommand(list, { isDefault: true })
  .addCommand(check)
  .addCommand(up)
  .addCommand(shell)
  .addCommand(fetchGuest)
  .addCommand(down);

withExamples(list, [
  ['hosts list', 'every kind of host, and why one cannot be had here'],
  ['hosts list --json', 'for a program'],
]);

withExamples(check, [
  ['hosts check', 'every host of this machine, one after the other'],
  ['hosts check netns docker --json', 'these two, a JSON object a line'],
]);

withExamples(up, [
  ['hosts up netns', 'until Ctrl-C'],
  ['hosts up --hosts docs/examples/hosts.yaml', 'as a file has them'],
]);

withExamples(down, [
  ['hosts down', 'those of living runners are not touched'],
  ['hosts down --json', 'what was removed, for a program'],
]);

withExamples(hosts, [
  ['hosts', 'what --host of run takes, and what of it can be had here'],
  ['hosts check gvisor', 'start one and look at it'],
]);
