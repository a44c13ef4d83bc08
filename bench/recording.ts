/**
 * Recorded series of bandwidth: what tcp_info of a transfer's sockets says every 100 ms, asked by ss(8) beside the transfer, between
 * two network namespaces with an emulated link.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { z } from 'zod';
import { packageRoot } from '../src/addon.js';
import { linkCourse } from '../src/contract/link.js';
import { transferHello, transferResult } from '../src/contract/transfer.js';
import type { HostProcess, Roles } from '../src/hosts/host.js';
import { openHost } from '../src/hosts/registry.js';
import { socketsTo } from '../src/hosts/sockets.js';
import { courseOf } from '../src/planner/prediction/series.js';
import { receiverProgram, senderProgram } from '../src/programs/transfer.js';
import { alongCourse } from '../src/stage/course.js';

const recordedSeries = z.object({
  id: z.string(),
  link: z.string(),
  /** streams of the transfer, and of another one that comes and goes */
  streams: z.number(),
  beside: z.number(),
  congestion: z.string(),
  /** of the link's rate, a step each interval; left out: it stays */
  course: linkCourse.optional(),
  /** bits acknowledged in each interval over its length, Mbit/s */
  goodput: z.array(z.number()),
  /** sum of the sockets' delivery rates at the end of each interval, as the kernel estimates them, Mbit/s */
  deliveryRate: z.array(z.number()),
});

const recorded = z.object({
  recordedAt: z.string(),
  kernel: z.string(),
  cpu: z.string(),
  /** what else the machine did */
  load: z.string(),
  intervalMs: z.number(),
  series: z.array(recordedSeries),
});
export type Recorded = z.infer<typeof recorded>;

const path = join(packageRoot, 'bench/recorded/bandwidth.json');

export const readRecorded = (): Recorded => recorded.parse(JSON.parse(readFileSync(path, 'utf8')));

type Scenario = Omit<Recorded['series'][number], 'goodput' | 'deliveryRate'>;

const link = 'delay=20ms loss=1% rate=100mbit means=relay seed=1';
const clean = 'delay=20ms rate=50mbit limit=200 means=relay seed=1';

const changing = { link: clean, streams: 4, beside: 0, congestion: 'cubic' } as const;

/**
 * A transfer that loses packets at random, one that fills a queue, one that shares a link with what comes and goes, and those over a
 * link whose rate changes.
 */
export const scenarios: readonly Scenario[] = [
  { id: 'lossy, 1 stream', link, streams: 1, beside: 0, congestion: 'cubic' },
  { id: 'lossy, 8 streams', link, streams: 8, beside: 0, congestion: 'cubic' },
  { id: 'queue, 1 stream', link: clean, streams: 1, beside: 0, congestion: 'cubic' },
  { id: 'shared, 2 and 4 streams', link: clean, streams: 2, beside: 4, congestion: 'cubic' },
  { id: 'lossy, 1 stream, bbr', link, streams: 1, beside: 0, congestion: 'bbr' },
  { id: 'periodic, 4 streams', ...changing, course: 'periodic' },
  { id: 'regime, 4 streams', ...changing, course: 'regime' },
];

const intervalMs = 100;
/** Of what comes and goes: drawn between, milliseconds. */
const visit = { least: 1000, most: 5000 };

interface Running {
  ends: HostProcess[];
  port: number;
  result: Promise<unknown>;
}

async function transfer(
  { server, client }: Roles,
  { streams, congestion }: Pick<Scenario, 'streams' | 'congestion'>,
  durationMs: number,
): Promise<Running> {
  const common = { backend: 'epoll' as const, congestion, control: true, patienceMs: 30_000 };
  const host = server.addressFor(client);
  const receiver = server.spawn('the receiver', server.command(receiverProgram({ ...common, host })));
  const hello = transferHello.parse(await receiver.expect('hello', 10_000));
  if (hello.role !== 'receiver') throw new Error('the receiver says that it is a sender');
  const { port } = hello;
  const program = senderProgram({
    ...common,
    ...{ host, port, streams, way: 'copy', checked: false, length: { durationMs } },
  });
  const sender = client.spawn('the sender', client.command(program));
  const result = sender.expect('result', durationMs + 60_000).then((line) => {
    const { fault } = transferResult.parse(line);
    if (fault !== null) throw new Error(fault);
  });
  result.catch(() => {});
  return { ends: [sender, receiver], port, result };
}

const rounded = (bits: number) => Number((bits / 1e6).toFixed(3));

async function one(scenario: Scenario, samples: number): Promise<Recorded['series'][number]> {
  const roles = await openHost(`netns:${scenario.link}`);
  const ends: HostProcess[] = [];
  const goodput: number[] = [];
  const deliveryRate: number[] = [];
  let done = false;
  try {
    const main = await transfer(roles, scenario, samples * intervalMs + 2000);
    ends.push(...main.ends);
    const visitor = async () => {
      while (scenario.beside > 0 && !done) {
        const length = () => visit.least + Math.random() * (visit.most - visit.least);
        await pause(length());
        if (done) return;
        const guest = await transfer(roles, { ...scenario, streams: scenario.beside }, length());
        await guest.result.catch(() => {});
        await Promise.all(guest.ends.map((end) => end.end(2000)));
      }
    };
    const visiting = visitor();
    await pause(1000);
    const { course = 'steady' } = scenario;
    const sampling = async () => {
      const start = performance.now();
      let before = await socketsTo(roles.client, main.port);
      for (let sample = 1; sample <= samples; sample++) {
        await pause(Math.max(0, start + sample * intervalMs - performance.now()));
        const after = await socketsTo(roles.client, main.port);
        goodput.push(rounded(((after.ackedBytes - before.ackedBytes) * 8000) / (after.atMs - before.atMs)));
        deliveryRate.push(rounded(after.deliveryRate));
        before = after;
      }
    };
    if (course === 'steady') await sampling();
    else await alongCourse({ roles }, courseOf(course, samples, 1), intervalMs, sampling);
    done = true;
    await main.result;
    await visiting;
    return { ...scenario, goodput, deliveryRate };
  } finally {
    done = true;
    await Promise.all(ends.map((end) => end.end(2000)));
    await roles.close();
  }
}

/** @param load what else the machine does, in words. @throws Error in one sentence where it cannot be recorded here */
export async function record(samples: number, load: string, keep: boolean): Promise<Recorded> {
  const roles = await openHost('local');
  const { kernel, cpuModel } = roles.server.facts;
  await roles.close();
  const series = [];
  for (const scenario of scenarios) {
    console.error(`recording '${scenario.id}', ${(samples * intervalMs) / 1000} s`);
    series.push(await one(scenario, samples));
  }
  const all = {
    recordedAt: new Date().toISOString().slice(0, 10),
    kernel,
    cpu: cpuModel,
    load,
    intervalMs,
    series,
  };
  // A number a line would be thousands of lines.
  const text = JSON.stringify(all, null, 2).replace(
    /\[\s+([\d.,\s]+?)\s+\]/g,
    (_, numbers: string) => `[${numbers.replace(/\s+/g, ' ')}]`,
  );
  if (keep) writeFileSync(path, `${text}\n`);
  return all;
}
