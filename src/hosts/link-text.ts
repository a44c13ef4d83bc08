/**
 * How a link is written: 'delay=20ms loss=1% rate=100mbit' for both directions, a word with `up:` (client to server) or
 * `down:` (server to client) before it for one of them. Names and units are those of tc-netem(8).
 */
import type { LinkDirection, LinkMeans, LinkShape } from '../contract/link.js';

export interface AskedLink {
  up: LinkShape;
  down: LinkShape;
  /** null: netem where the kernel has it */
  means: LinkMeans | null;
  /** null: any */
  seed: number | null;
  /** what was asked, in letters that a host's name may have */
  name: string;
}

/** netem's own, for a queue before a rate; without one there is no queue, only what travels. */
const limitBeforeRate = 1000;
const limitWithoutRate = 100_000;

const mostDelayNs = 10e9;
const mostBitsPerSecond = 1e12;
const mostPackets = 1_000_000;
const mostSeed = 0xffff_ffff;

/** A number and what stands behind it; null when there is no number. */
function measure(text: string): { value: number; unit: string } | null {
  const [, number, unit] = /^([+-]?\d+(?:\.\d+)?)([a-z%]*)$/i.exec(text) ?? [];
  return number === undefined ? null : { value: Number(number), unit: unit!.toLowerCase() };
}

const timeUnits: Record<string, number> = { us: 1e3, ms: 1e6, s: 1e9 };
const rateUnits: Record<string, number> = { bit: 1, kbit: 1e3, mbit: 1e6, gbit: 1e9 };

/** What is wrong is told as "the link's WORD ...". */
class Wrong extends Error {}

function scaled(text: string, units: Record<string, number>, example: string): number {
  const read = measure(text);
  if (!read || units[read.unit] === undefined) throw new Wrong(`needs a unit, as in ${example}`);
  return Math.round(read.value * units[read.unit]!);
}

function delay(text: string): number {
  const ns = scaled(text, timeUnits, '20ms (us, ms or s)');
  if (ns < 0 || ns > mostDelayNs) throw new Wrong('must be from 0s to 10s');
  return ns;
}

function loss(text: string): number {
  const read = measure(text);
  if (read?.unit !== '%') throw new Wrong('must be a percentage, as in 1%');
  if (read.value < 0 || read.value > 100) throw new Wrong('must be from 0% to 100%');
  return read.value / 100;
}

function rate(text: string): number {
  // To tc 'mbps' are megabytes, to most others megabits.
  const bits = scaled(text, rateUnits, '100mbit (bit, kbit, mbit or gbit)');
  if (bits < 1 || bits > mostBitsPerSecond) throw new Wrong('must be above 0 and at most 1000gbit');
  return bits;
}

const whole = (least: number, most: number) => (text: string) => {
  const value = Number(text);
  if (!/^\d+$/.test(text) || value < least || value > most)
    throw new Wrong(`must be a whole number from ${least} to ${most}`);
  return value;
};

function means(text: string): LinkMeans {
  if (text === 'netem' || text === 'relay') return text;
  throw new Wrong("must be 'netem' or 'relay'");
}

/** What a direction has, and what the link as a whole has. */
const ofDirection = { delay, loss, rate, limit: whole(1, mostPackets) };
const ofLink = { means, seed: whole(0, mostSeed) };
type Settings = { [Key in keyof typeof ofDirection]?: number };
type Words = { [Key in keyof typeof ofDirection]?: string };

const keys = [...Object.keys(ofDirection), ...Object.keys(ofLink)];
const isKey = <T extends object>(table: T, key: string): key is keyof T & string => Object.hasOwn(table, key);

interface Written {
  settings: Record<LinkDirection, Settings>;
  words: Record<LinkDirection, Words>;
  means: LinkMeans | null;
  seed: number | null;
}

function take(written: Written, only: LinkDirection | null, key: string, value: string): void {
  if (isKey(ofDirection, key)) {
    const read = ofDirection[key](value);
    for (const direction of only ? [only] : (['up', 'down'] as const)) {
      written.settings[direction][key] = read;
      written.words[direction][key] = value;
    }
  } else if (only) throw new Wrong('is of both directions: write it without up: or down:');
  else if (key === 'means') written.means = means(value);
  else written.seed = ofLink.seed(value);
}

const shape = ({ delay = 0, loss = 0, rate, limit }: Settings): LinkShape => ({
  delayNs: delay,
  lossShare: loss,
  bitsPerSecond: rate ?? null,
  limitPackets: limit ?? (rate === undefined ? limitWithoutRate : limitBeforeRate),
});

/** Characters of it: names of hosts have at most 100, with what stands before this. */
const longestName = 90;

/** "20ms-1pct-100mbit", for the name of the host whose figures these are. */
function nameOf({ words, means: asked, seed }: Written): string {
  const direction = ({ delay = '0ms', loss, rate, limit }: Words) =>
    [delay, loss?.replace('%', 'pct'), rate, limit && `limit${limit}`].filter((part) => part !== undefined);
  const [up, down] = [direction(words.up).join('-'), direction(words.down).join('-')];
  const both = up === down ? [up] : ['up', up, 'down', down];
  const name = [...both, asked, seed === null ? null : `seed${seed}`]
    .filter((part) => part !== null)
    .join('-')
    .toLowerCase()
    .replaceAll('+', '');
  if (name.length > longestName)
    throw new Error("the link's description is too long for the name of a host: write shorter numbers");
  return name;
}

function readWord(word: string) {
  const [, only = null, key, value] = /^(?:(up|down):)?([^=:]+)=(.*)$/s.exec(word) ?? [];
  if (key === undefined)
    throw new Error(
      `'${word}' describes no link: write KEY=VALUE, with up: or down: before it for one direction`,
    );
  if (!keys.includes(key)) throw new Error(`a link has no '${key}': known are ${keys.join(', ')}`);
  return { word, only: only as LinkDirection | null, key, value: value! };
}

/** @throws Error in one sentence that names the word that cannot be used */
export function parseLink(text: string): AskedLink {
  const written: Written = {
    settings: { up: {}, down: {} },
    words: { up: {}, down: {} },
    means: null,
    seed: null,
  };
  const all = text.split(/\s+/).filter((word) => word !== '');
  if (all.length === 0)
    throw new Error("a link needs a description, as in 'delay=20ms loss=1% rate=100mbit'");
  const read = all.map(readWord);
  const twice = read.find(({ only, key }, at) =>
    read.slice(0, at).some((other) => other.only === only && other.key === key),
  );
  if (twice) throw new Error(`the link's '${twice.word}' says what another word says already`);
  // A word for one direction wins over the one for both, whichever comes first.
  for (const { word, only, key, value } of [
    ...read.filter((one) => one.only === null),
    ...read.filter((one) => one.only !== null),
  ]) {
    try {
      take(written, only, key, value);
    } catch (error) {
      throw error instanceof Wrong ? new Error(`the link's '${word}' ${error.message}`) : error;
    }
  }
  if (written.seed !== null && written.means === 'netem')
    throw new Error("the link's seed is the relay's, netem seeds itself: leave out the seed or means=netem");
  return {
    up: shape(written.settings.up),
    down: shape(written.settings.down),
    means: written.seed === null ? written.means : 'relay',
    seed: written.seed,
    name: nameOf(written),
  };
}
