/** One seeded schedule of PBFT: up to f replicas that lie, a network at its worst, then calm in which work has to go on. */
import { type Random, randomFrom, shuffled } from '../../statistics/random.js';
import { type Command, decodeCommand, encodeCommand, Machine } from '../machine.js';
import { type Liar, type LiarMeans, type LiarName, liarNames, mixed } from '../pbft/liars.js';
import type { Input, Message } from '../pbft/messages.js';
import { type PbftConfig, type PbftState, start } from '../pbft/state.js';
import { step } from '../pbft/step.js';
import { Clients } from './clients.js';
import { fairWeather, Network, type Weather } from './network.js';
import { PbftWitness } from './pbft-witness.js';
import { Timeline } from './timeline.js';
import { Violation } from './violation.js';

export interface PbftOutcome {
  messages: number;
  views: number;
  executed: number;
  completed: number;
  cuts: number;
  lies: number;
  restored: number;
}

export interface PbftPlan {
  replicas: number;
  /** how many lie; more than f is for showing that then nothing holds */
  faulty: number;
  /** what they do; undefined: whatever the seed says */
  lies?: readonly LiarName[];
  /** whether work has to go on when all is well */
  progress: boolean;
  /** faulty replicas are the first ones, so that one of them is the first primary */
  fromFirst?: boolean;
}

const TICK = 10;
const REQUEST_TICKS = 12;
const CLIENT = 1000;
const TROUBLED = 120 * TICK;
const CALM = 4_000 * TICK;

const weatherOf = (random: Random): Weather => ({
  loss: random() < 0.4 ? 0 : random() * 0.2,
  repeated: random() * 0.1,
  late: random() * 0.2,
  lateness: 4 + random() * 20,
  delay: 1 + random() * 8,
});

/** Digests that cannot collide within a schedule: each text gets a number of its own. */
class Digests {
  readonly #numbers = new Map<string, string>();

  of(bytes: readonly Uint8Array[]): string {
    const text = bytes.map((one) => String.fromCharCode(...one)).join('\u{1f4e8}');
    let digest = this.#numbers.get(text);
    if (digest === undefined) {
      digest = `d${this.#numbers.size}`;
      this.#numbers.set(text, digest);
    }
    return digest;
  }
}

/** One replica with its machine, correct in itself; what leaves it may be treated by a liar. */
class Replica {
  readonly state: PbftState;
  machine = new Machine();

  constructor(
    config: PbftConfig,
    readonly liar: Liar | null,
    readonly around: {
      witness: PbftWitness;
      send(from: number, to: number, message: Message, late: number): void;
      reply(from: number, command: Command, reply: string): void;
      count(what: 'lies' | 'restored'): void;
    },
  ) {
    this.state = start(config);
  }

  take(input: Input): void {
    const { state, around, liar } = this;
    const { id } = state.config;
    const correct = liar === null;
    const output = step(state, input);
    if (correct) around.witness.afterStep(state);
    if (output.restored) {
      this.machine = Machine.restored(output.restored.data);
      if (correct) around.witness.state(id, output.restored.sequence, output.restored.data);
      around.count('restored');
    }
    const snapshots: Input[] = [];
    for (const executed of output.executed) {
      if (correct) around.witness.carriedOut(id, executed);
      for (const request of executed.batch) {
        const command = commandOf(request);
        if (command === null) continue;
        const reply = this.machine.apply(command);
        if (reply !== null) around.reply(id, command, correct ? reply : `${reply}?`);
      }
      const { sequence } = executed;
      if (!output.checkpoints.includes(sequence)) continue;
      const data = this.machine.snapshot();
      if (correct) around.witness.state(id, sequence, data);
      snapshots.push({ kind: 'checkpoint', sequence, data });
    }
    for (const { to, message } of output.messages) {
      if (liar === null) {
        around.send(id, to, message, 0);
        continue;
      }
      for (const lie of liar(to, message)) {
        if (lie.message !== message || lie.late > 0) around.count('lies');
        around.send(id, lie.to, lie.message, lie.late);
      }
    }
    for (const snapshot of snapshots) this.take(snapshot);
  }

  /** The reply that this command got here, again. */
  repeatReply(command: Command): void {
    const reply = this.machine.replied(command.client, command.sequence);
    if (reply !== undefined && this.liar === null) this.around.reply(this.state.config.id, command, reply);
  }
}

function commandOf(request: Uint8Array): Command | null {
  try {
    return decodeCommand(request);
  } catch {
    return null;
  }
}

/** Any plan that a quorum of correct replicas survives. */
export function anyPlan(random: Random): PbftPlan {
  const replicas = random() < 0.75 ? 4 : random() < 0.7 ? 7 : 5;
  const f = Math.floor((replicas - 1) / 3);
  return { replicas, faulty: random() < 0.2 ? 0 : f, progress: true };
}

/** @throws Violation */
export function pbftSchedule(seed: string, plan?: PbftPlan): PbftOutcome {
  const random = randomFrom(seed);
  const { replicas, faulty, progress, lies, fromFirst } = plan ?? anyPlan(random);
  const f = Math.floor((replicas - 1) / 3);
  const timeline = new Timeline();
  const network = new Network(timeline, random, weatherOf(random));
  const digests = new Digests();
  const digest = (bytes: readonly Uint8Array[]) => digests.of(bytes);
  const asked = new Set<string>();
  const requests: Uint8Array[] = [];
  const isAuthentic = (request: Uint8Array) => asked.has(digest([request]));
  const witness = new PbftWitness(isAuthentic);
  const outcome = { messages: 0, views: 0, executed: 0, completed: 0, cuts: 0, lies: 0, restored: 0 };
  /** by client and request, what each replica has replied */
  const replies = new Map<string, Map<number, string>>();
  const all: Replica[] = [];

  const clients = new Clients(
    { clients: 3, keys: 2, patience: 15 * TICK, attempts: 6, pause: 6 * TICK },
    timeline,
    random,
    ({ command, attempt }) => {
      const request = encodeCommand(command);
      const name = digest([request]);
      if (!asked.has(name)) {
        asked.add(name);
        requests.push(request);
      }
      // To the primary that it believes in, then to all (§2.3.2).
      const primary = all[Math.floor(random() * replicas)]!.state.view % replicas;
      const to = attempt === 0 ? [primary] : all.map((_, id) => id);
      for (const id of to)
        network.send(CLIENT, id, () => {
          all[id]!.repeatReply(command);
          all[id]!.take({ kind: 'request', requests: [request] });
        });
    },
  );
  /** A client believes what f + 1 replicas say alike (§2.3.2). */
  const replied = (from: number, { client, sequence }: Command, reply: string) => {
    const name = `${client}.${sequence}`;
    let known = replies.get(name);
    if (known === undefined) {
      known = new Map();
      replies.set(name, known);
    }
    known.set(from, reply);
    if ([...known.values()].filter((other) => other === reply).length > f)
      clients.replied(client, sequence, reply);
  };
  const around = {
    witness,
    send: (from: number, to: number, message: Message, late: number) => {
      outcome.messages++;
      const deliver = () => all[to]!.take({ kind: 'message', from, message });
      if (late === 0) network.send(from, to, deliver);
      else timeline.after(late, () => network.send(from, to, deliver));
    },
    reply: (from: number, command: Command, reply: string) =>
      network.send(from, CLIENT, () => replied(from, command, reply)),
    count: (what: 'lies' | 'restored') => {
      outcome[what]++;
    },
  };

  const ids = Array.from({ length: replicas }, (_, id) => id);
  const chosen = new Set((fromFirst ? ids : shuffled(ids, random)).slice(0, faulty));
  const means: LiarMeans = { random, replicas, digest, requests, longDelay: 3 * REQUEST_TICKS * TICK };
  const liarOf = (id: number): Liar | null => {
    if (!chosen.has(id)) return null;
    return mixed(lies ?? shuffled(liarNames, random).slice(0, 1 + Math.floor(random() * 3)), means);
  };
  const mostRequests = 1 + Math.floor(random() * 3);
  const mostUnderWay = 1 + Math.floor(random() * 4);
  const skew = random() * 0.5;
  for (const id of ids) {
    const replica: Replica = new Replica(
      {
        id,
        replicas,
        checkpointEvery: 4,
        window: 8,
        mostRequests,
        mostUnderWay,
        requestTicks: REQUEST_TICKS,
        statusTicks: 5,
        digest,
        isAuthentic,
        isDone: (request) => {
          const command = commandOf(request);
          return command !== null && replica.machine.isDone(command.client, command.sequence);
        },
      },
      liarOf(id),
      around,
    );
    all.push(replica);
    const takes = TICK * (1 - skew / 2 + random() * skew);
    const tick = () => {
      replica.take({ kind: 'tick' });
      timeline.after(takes, tick);
    };
    timeline.after(takes * random(), tick);
  }
  const befall = () => {
    if (timeline.now >= TROUBLED) return;
    const what = random();
    if (what < 0.35) {
      network.cut(replicas);
      outcome.cuts++;
    } else if (what < 0.75) network.heal();
    else network.weather = weatherOf(random);
    timeline.after(random() * 30 * TICK, befall);
  };
  timeline.after(random() * 40 * TICK, befall);
  timeline.run(TROUBLED);

  network.heal();
  network.weather = fairWeather(2);
  const { completed } = clients;
  const calm = progress ? CALM : TROUBLED;
  const wentOn = timeline.run(TROUBLED + calm, () => clients.completed >= completed + 3);
  if (progress && !wentOn)
    throw new Violation('progress', 'nothing was carried out once everything was well');
  clients.stop();
  clients.check();
  outcome.views = Math.max(...all.map(({ state }) => state.view));
  outcome.executed = witness.executed.size;
  outcome.completed = clients.completed;
  return outcome;
}
