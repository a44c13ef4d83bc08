/**
 * What faulty replicas do to what a correct one would send. They may say anything to anybody, each something else, but only in
 * their own name, and cannot make requests of clients.
 */
import type { Random } from '../../statistics/random.js';
import { encodeCommand, Machine } from '../machine.js';
import type { Batch, Message, Seen, ViewChange } from './messages.js';

export interface Lie {
  to: number;
  message: Message;
  /** units of time it is held back */
  late: number;
}

export type Liar = (to: number, message: Message) => Lie[];

export interface LiarMeans {
  random: Random;
  /** of the collusion: what it tells one side and what the other */
  replicas: number;
  digest(bytes: readonly Uint8Array[]): string;
  /** requests that clients have made */
  requests: readonly Uint8Array[];
  /** longer than a request may take */
  longDelay: number;
}

const asItIs = (to: number, message: Message): Lie[] => [{ to, message, late: 0 }];

const wrong = (digest: string, random: Random): string => `${digest}?${Math.floor(random() * 3)}`;

/** Says nothing, ever. */
const mute = (): Liar => () => [];

/** Says nothing by turns. */
function silent({ random }: LiarMeans): Liar {
  const share = random();
  return (to, message) => (random() < share ? [] : asItIs(to, message));
}

/** Waits before it says anything. */
function delaying({ random, longDelay }: LiarMeans): Liar {
  return (to, message) => [{ to, message, late: random() * longDelay }];
}

/** Names digests that are none. */
function misnaming({ random }: LiarMeans): Liar {
  return (to, message) => {
    if (random() < 0.5 || !('digest' in message)) return asItIs(to, message);
    return asItIs(to, { ...message, digest: wrong(message.digest, random) } as Message);
  };
}

/** As primary it gives one side this batch and the other side that one, and prepares and commits with each. */
function twoFaced({ random, replicas, digest, requests }: LiarMeans): Liar {
  const side = Array.from({ length: replicas }, () => random() < 0.5);
  const other = new Map<string, Batch>();
  const otherOf = (name: string): Batch => {
    let batch = other.get(name);
    if (batch === undefined) {
      batch = [requests[Math.floor(random() * requests.length)] ?? new Uint8Array([0])];
      other.set(name, batch);
    }
    return batch;
  };
  return (to, message) => {
    if (!side[to]) return asItIs(to, message);
    if (message.type !== 'pre-prepare' && message.type !== 'prepare' && message.type !== 'commit')
      return asItIs(to, message);
    const batch = otherOf(`${message.view}.${message.sequence}`);
    const told = { ...message, digest: digest(batch) };
    return asItIs(to, message.type === 'pre-prepare' ? ({ ...told, batch } as Message) : told);
  };
}

/** What no client has asked for. */
const INVENTED: Batch = [
  encodeCommand({ client: 9, sequence: 9, operation: { kind: 'put', key: 'k0', value: 'invented' } }),
];

/** Makes requests that no client made. */
function inventing({ digest }: LiarMeans): Liar {
  return (to, message) => {
    const agrees = message.type === 'prepare' || message.type === 'commit';
    if (agrees) return asItIs(to, { ...message, digest: digest(INVENTED) });
    if (message.type !== 'pre-prepare') return asItIs(to, message);
    return asItIs(to, { ...message, batch: INVENTED, digest: digest(INVENTED) });
  };
}

/** Prepares and commits what it has not seen, at once and for everything. */
function eager({ random }: LiarMeans): Liar {
  return (to, message) => {
    if (message.type !== 'prepare') return asItIs(to, message);
    const commit: Message = { ...message, type: 'commit' };
    const ahead: Message = { ...message, sequence: message.sequence + 1 + Math.floor(random() * 3) };
    return [...asItIs(to, message), ...asItIs(to, commit), ...asItIs(to, ahead)];
  };
}

/** Lies of what it has seen when the view changes, and as the new primary of what was chosen. */
function forgetful({ random, digest }: LiarMeans): Liar {
  const forgets = random() < 0.5;
  const changed = (change: ViewChange): ViewChange => {
    const what = random();
    if (what < 0.25) return { ...change, prepared: [], prePrepared: [] };
    if (what < 0.45) return { ...change, stable: Math.max(0, change.stable - 4), checkpoints: [] };
    if (what < 0.6)
      return {
        ...change,
        checkpoints: [{ sequence: change.stable + 4, digest: 'no state' }, ...change.checkpoints],
      };
    const sequence = change.stable + 1 + Math.floor(random() * 2);
    const bogus: Seen = { sequence, digest: digest(INVENTED), view: change.view - 1 };
    const rest = (seen: readonly Seen[]) => seen.filter((one) => one.sequence !== sequence);
    return {
      ...change,
      prepared: [...rest(change.prepared), bogus],
      prePrepared: [...rest(change.prePrepared), bogus],
    };
  };
  return (to, message) => {
    if (message.type === 'view-change') return asItIs(to, changed(message));
    if (message.type === 'view-change-ack' && random() < 0.5)
      return asItIs(to, { ...message, digest: wrong(message.digest, random) });
    if (message.type === 'new-view' && forgets)
      return asItIs(to, { ...message, chosen: message.chosen.map((one) => ({ ...one, digest: '' })) });
    if (message.type === 'status')
      return [...asItIs(to, message), ...asItIs(to, { type: 'batch', batch: INVENTED })];
    return asItIs(to, message);
  };
}

/** Wants another view whenever it can. */
function restless({ random }: LiarMeans): Liar {
  return (to, message) => {
    if (message.type !== 'status' || random() < 0.5) return asItIs(to, message);
    const view = message.view + 1 + Math.floor(random() * 2);
    const change: ViewChange = {
      type: 'view-change',
      view,
      stable: 0,
      checkpoints: [],
      prepared: [],
      prePrepared: [],
    };
    return [...asItIs(to, message), ...asItIs(to, change)];
  };
}

const EMPTY = new Machine().snapshot();

/** Says of every state that it is empty, and gives it so to whoever asks. */
function corrupting({ digest }: LiarMeans): Liar {
  return (to, message) => {
    if (message.type === 'state') return asItIs(to, { ...message, data: EMPTY });
    if (message.type === 'batch') return asItIs(to, { ...message, batch: INVENTED });
    if (message.type === 'checkpoint') return asItIs(to, { ...message, digest: digest([EMPTY]) });
    return asItIs(to, message);
  };
}

export const liars = {
  mute,
  silent,
  delaying,
  misnaming,
  twoFaced,
  inventing,
  eager,
  forgetful,
  restless,
  corrupting,
} satisfies Record<string, (means: LiarMeans) => Liar>;

export type LiarName = keyof typeof liars;
export const liarNames = Object.keys(liars) as LiarName[];

/** Each message is treated by one of these, at random. */
export function mixed(names: readonly LiarName[], means: LiarMeans): Liar {
  const all = names.map((name) => liars[name](means));
  return (to, message) => all[Math.floor(means.random() * all.length)]!(to, message);
}
