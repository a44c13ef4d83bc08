/** One seeded schedule of Raft: members, clients, and what befalls them; then calm, in which work has to go on. */
import { type Random, randomFrom } from '../../statistics/random.js';
import { Clients } from './clients.js';
import { fairWeather, Network, type Weather } from './network.js';
import { RaftMember, type Surroundings } from './raft-member.js';
import { RaftWitness } from './raft-witness.js';
import { Timeline } from './timeline.js';
import { Violation } from './violation.js';

/** What a schedule came to; sums of these say how much of the rules was used. */
export interface RaftOutcome {
  steps: number;
  elections: number;
  committed: number;
  completed: number;
  crashes: number;
  cuts: number;
  /** disks that were lost with all there was on them */
  lost: number;
  snapshotsSent: number;
}

/** A tick of a clock that goes right, in units of time. */
const TICK = 10;
const ELECTION_TICKS = 10;
const CLIENT = 1000;
const TROUBLED = 160 * TICK;
/** Until then somebody must have been elected and have carried out something: some dozens of election timeouts. */
const CALM = 1_000 * TICK;

const weatherOf = (random: Random): Weather => ({
  loss: random() < 0.3 ? 0 : random() * 0.25,
  repeated: random() * 0.2,
  late: random() * 0.3,
  lateness: 4 + random() * 30,
  delay: 1 + random() * 12,
});

/** Of what a snapshot's chunks have in them; without it, their order alone has to be right. */
function digestOf(chunks: readonly Uint8Array[]): string {
  let hash = 0;
  for (const chunk of chunks) for (const byte of chunk) hash = (Math.imul(hash, 31) + byte) | 0;
  return `${hash}`;
}

/** @throws Violation */
export function raftSchedule(seed: string): RaftOutcome {
  const random = randomFrom(seed);
  const timeline = new Timeline();
  const witness = new RaftWitness();
  const network = new Network(timeline, random, weatherOf(random));
  const members = random() < 0.6 ? 3 : random() < 0.85 ? 5 : random() < 0.4 ? 4 : 1;
  const outcome = {
    steps: 0,
    elections: 0,
    committed: 0,
    completed: 0,
    crashes: 0,
    cuts: 0,
    lost: 0,
    snapshotsSent: 0,
  };
  const all: RaftMember[] = [];
  const clients = new Clients(
    { clients: 4, keys: 2, patience: 8 * TICK, attempts: 4, pause: 4 * TICK },
    timeline,
    random,
    (asked) => {
      // Clients know the leader, or believe so, or ask anybody.
      const leaders = all
        .filter(({ state }) => state?.role === 'leader')
        .map(({ state }) => state!.config.id);
      const to =
        leaders.length > 0 && random() < 0.8
          ? leaders[Math.floor(random() * leaders.length)]!
          : Math.floor(random() * members);
      network.send(CLIENT, to, () => all[to]!.ask(asked));
    },
  );
  const around: Surroundings = {
    timeline,
    random,
    witness,
    states: () => all.map(({ state }) => state),
    send: (from, { to, message }) => {
      outcome.steps++;
      if (message.type === 'install' && message.done) outcome.snapshotsSent++;
      network.send(from, to, () => all[to]!.take({ kind: 'message', from, message }));
    },
    reply: (from, { client, sequence }, reply) =>
      network.send(from, CLIENT, () => clients.replied(client, sequence, reply)),
    syncTakes: random() < 0.3 ? random() * 60 : random() * 10,
    snapshotAfter: random() < 0.5 ? 4 + Math.floor(random() * 8) : Number.POSITIVE_INFINITY,
  };
  const preVote = random() < 0.5;
  const digest = random() < 0.5 ? digestOf : () => '';
  const mostBytes = random() < 0.4 ? 1 : 60 + Math.floor(random() * 300);
  const skew = random();
  const tickTakes = () => TICK * 2 ** (skew * (2 * random() - 1));
  for (let id = 0; id < members; id++) {
    all.push(
      new RaftMember(
        {
          id,
          members,
          electionTicks: ELECTION_TICKS,
          heartbeatTicks: 3,
          preVote,
          mostBytes,
          mostInFlight: 1 + Math.floor(random() * 8),
          chunkBytes: 40 + Math.floor(random() * 400),
          digest,
          votes: true,
          random,
        },
        around,
      ),
    );
  }
  for (const member of all) member.boot(tickTakes());

  /** Those that keep their votes have to be a majority. */
  let mayLose = random() < 0.3 ? Math.ceil(members / 2) - 1 : 0;
  const crash = (member: RaftMember) => {
    if (mayLose > 0 && random() < 0.3) {
      mayLose--;
      member.lose();
      outcome.lost++;
    } else member.crash();
    outcome.crashes++;
    timeline.after(random() * random() * 40 * TICK, () => {
      if (member.state === null) member.boot(tickTakes());
    });
  };
  /** Who has just been elected is killed, or cut off, soon: what it began is half done (figure 8). */
  const killLeaders = () => {
    const seen = new Set<number>();
    const isolates = random() < 0.5;
    const look = () => {
      if (timeline.now >= TROUBLED) return;
      const fresh = all.find(({ state }) => state?.role === 'leader' && !seen.has(state.term));
      if (fresh) {
        seen.add(fresh.state!.term);
        timeline.after(random() * (isolates ? 10 : 4) * TICK, () => {
          if (timeline.now >= TROUBLED) return;
          if (!isolates) return crash(fresh);
          network.heal();
          network.isolate(all.indexOf(fresh), members);
          outcome.cuts++;
        });
      }
      timeline.after(TICK / 2, look);
    };
    look();
  };
  const befall = () => {
    if (timeline.now >= TROUBLED) return;
    const what = random();
    if (what < 0.35) crash(all[Math.floor(random() * members)]!);
    else if (what < 0.45) {
      const leader = all.find(({ state }) => state?.role === 'leader');
      if (leader) crash(leader);
    } else if (what < 0.5) for (const member of all) crash(member);
    else if (what < 0.75) {
      network.cut(members);
      outcome.cuts++;
    } else if (what < 0.9) network.heal();
    else network.weather = weatherOf(random);
    timeline.after(random() * 30 * TICK, befall);
  };
  timeline.after(random() * 30 * TICK, befall);
  if (random() < 0.4) killLeaders();
  timeline.run(TROUBLED);

  network.heal();
  network.weather = fairWeather(2);
  for (const member of all) {
    member.tickTakes = TICK;
    if (member.state === null) member.boot(TICK);
  }
  const { completed } = clients;
  if (!timeline.run(TROUBLED + CALM, () => clients.completed >= completed + 3))
    throw new Violation('progress', `nothing was carried out once everything was well`);
  const commit = Math.max(...all.map(({ state }) => state!.commit));
  if (!timeline.run(TROUBLED + 2 * CALM, () => all.every(({ state }) => state!.commit >= commit)))
    throw new Violation('progress', 'a member was left behind once everything was well');
  clients.stop();
  clients.check();
  for (const { state } of all) outcome.elections = Math.max(outcome.elections, state!.term);
  outcome.committed = witness.committed.length;
  outcome.completed = clients.completed;
  return outcome;
}
