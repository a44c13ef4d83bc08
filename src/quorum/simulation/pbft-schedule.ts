/** One seeded schedule of PBFT: up to f replicas that lie, a network at its worst, then calm in which work has to go on. */
import { type Random, randomFrom, shuffled } from '../../statistics/random.js';
import { type Command, decodeCommand, encodeCommand } from '../machine.js';
import { Execution } from '../pbft/execution.js';
import { type Liar, type LiarMeans, type LiarName, liarNames, mixed } from '../pbft/liars.js';
import type { Input, Message } from '../pbft/messages.js';
import { type Heard, Replies } from '../pbft/replies.js';
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
  /** batches that were carried out before they committed, and those of them that were taken back */
  tentative: number;
  revoked: number;
}

type Counted = 'lies' | 'restored' | 'tentative' | 'revoked';

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
const CLIENTS = 3;
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
  readonly execution: Execution;
  #holds = false;

  constructor(
    config: Omit<PbftConfig, 'isDone'>,
    readonly liar: Liar | null,
    readonly around: {
      witness: PbftWitness;
      send(from: number, to: number, message: Message, late: number): void;
      reply(from: number, command: Command, heard: Heard): void;
      /** a liar tells a client something in the place of this, or nothing */
      lie(from: number, command: Command, heard: Heard): void;
      count(what: Counted): void;
      /** in a moment */
      later(act: () => void): void;
    },
  ) {
    const { id } = config;
    const correct = liar === null;
    this.execution = new Execution({
      commandOf,
      replied: (command, reply, tentative) => {
        const { view } = this.state;
        const heard = { view, tentative, reply };
        if (correct) around.reply(id, command, heard);
        else around.lie(id, command, heard);
      },
      settled: (executed) => {
        if (correct) around.witness.carriedOut(id, executed);
      },
    });
    this.state = start({ ...config, isDone: (request) => this.execution.isDone(request) });
  }

  take(input: Input): void {
    const { state, around, liar, execution } = this;
    const { id } = state.config;
    const correct = liar === null;
    const output = step(state, input);
    if (correct) around.witness.afterStep(state);
    if (output.restored) {
      if (correct) around.witness.state(id, output.restored.sequence, output.restored.data);
      around.count('restored');
    }
    if (output.revoked) around.count('revoked');
    for (const { tentative } of output.executed) if (tentative) around.count('tentative');
    const states = execution.carryOut(output);
    if (correct) for (const { sequence, data } of states) around.witness.state(id, sequence, data);
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
    for (const { sequence, data } of states) this.take({ kind: 'checkpoint', sequence, data });
    if (!this.#holds && state.held.length > 0) {
      this.#holds = true;
      around.later(() => {
        this.#holds = false;
        this.take({ kind: 'moment' });
      });
    }
  }

  /** A client's attempt. A liar says at once that all is well. */
  ask(command: Command, request: Uint8Array): void {
    const { state, liar, around } = this;
    const { view, config } = state;
    if (liar !== null) around.lie(config.id, command, { view, tentative: true, reply: 'ok' });
    if (liar !== null || !this.execution.repeatReply(command))
      this.take({ kind: 'request', requests: [request] });
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
  const requests: Uint8Array[] = [];
  const witness = new PbftWitness((request) => digest([request]));
  const isAuthentic = (request: Uint8Array) => witness.asked.has(digest([request]));
  const outcome: PbftOutcome = {
    ...{ messages: 0, views: 0, executed: 0, completed: 0, cuts: 0, lies: 0, restored: 0 },
    ...{ tentative: 0, revoked: 0 },
  };
  /** by client and request */
  const replies = new Map<string, Replies>();
  const all: Replica[] = [];

  const clients = new Clients(
    { clients: CLIENTS, keys: 2, patience: 15 * TICK, attempts: 6, pause: 6 * TICK },
    timeline,
    random,
    ({ command, attempt }) => {
      const request = encodeCommand(command);
      const name = digest([request]);
      if (!witness.asked.has(name)) {
        witness.asked.add(name);
        requests.push(request);
      }
      // To the primary that it believes in, then to all (§2.3.2).
      const primary = all[Math.floor(random() * replicas)]!.state.view % replicas;
      const to = attempt === 0 ? [primary] : all.map((_, id) => id);
      for (const id of to) network.send(CLIENT, id, () => all[id]!.ask(command, request));
    },
  );
  const replied = (from: number, command: Command, heard: Heard) => {
    const { client, sequence } = command;
    const name = `${client}.${sequence}`;
    let known = replies.get(name);
    if (known === undefined) {
      known = new Replies(replicas, f);
      replies.set(name, known);
    }
    const believed = known.take(from, heard);
    if (believed === null) return;
    clients.replied(client, sequence, believed);
    if (timeline.now < TROUBLED) witness.acknowledged(encodeCommand(command));
  };
  const around = {
    witness,
    send: (from: number, to: number, message: Message, late: number) => {
      outcome.messages++;
      const deliver = () => all[to]!.take({ kind: 'message', from, message });
      if (late === 0) network.send(from, to, deliver);
      else timeline.after(late, () => network.send(from, to, deliver));
    },
    reply: (from: number, command: Command, heard: Heard) =>
      network.send(from, CLIENT, () => replied(from, command, heard)),
    lie: (from: number, command: Command, { view, tentative, reply }: Heard) => {
      if (lies?.every((name) => name === 'mute')) return;
      around.reply(from, command, {
        view: view + (random() < 0.2 ? 1 : 0),
        tentative: tentative && random() < 0.5,
        reply: random() < 0.5 ? reply : `${reply}?`,
      });
    },
    count: (what: Counted) => {
      outcome[what]++;
    },
    later: (act: () => void) => timeline.after(random() * TICK, act),
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
  // One more than there are clients: of one of them a request that came after all that was acknowledged.
  const wentOn = timeline.run(TROUBLED + calm, () => clients.completed > completed + CLIENTS);
  if (progress && !wentOn)
    throw new Violation('progress', 'nothing was carried out once everything was well');
  clients.stop();
  clients.check();
  if (progress) witness.checkAcknowledged();
  outcome.views = Math.max(...all.map(({ state }) => state.view));
  outcome.executed = witness.executed.size;
  outcome.completed = clients.completed;
  return outcome;
}
