/**
 * What authenticates frames between replicas, and requests of clients to them: nothing, a vector of MACs (HMAC-SHA256, RFC
 * 2104: one for each receiver, with a key that it shares with the sender), or one signature for all (Ed25519, RFC 8032).
 *
 * Signatures are node:crypto's, MACs and digests the addon's: a frame is short, and around its hash a call of node:crypto makes
 * objects that take several times as long.
 */
import {
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  randomBytes,
  sign,
  verify,
} from 'node:crypto';
import { addon } from '../addon.js';
import type { QuorumSealName } from '../contract/names.js';
import type { ReplicaGroup } from '../contract/quorum.js';

type Keys = Pick<ReplicaGroup, 'keys' | 'ownKey' | 'clientKey'>;

const HMAC_BYTES = 32;
const SIGNATURE_BYTES = 64;
/** Clients whose keys a replica remembers. */
const MOST_CLIENT_KEYS = 4096;

/** Frames between replicas. */
export interface FrameSeal {
  /** left free at the end of a frame */
  readonly tagBytes: number;
  /** each receiver gets a tag of its own */
  readonly each: boolean;
  /** Writes the tag. */
  seal(frame: Uint8Array, to: number): void;
  opens(frame: Uint8Array, from: number): boolean;
}

/** Requests, as a replica sees them. */
export interface RequestSeal {
  /** bytes before the command */
  readonly headBytes: number;
  isAuthentic(request: Uint8Array, client: number): boolean;
}

/** The addon's part; a key is a handle. */
export interface SealingExports {
  macKey(secret: Uint8Array): number;
  macForget(key: number): void;
  macWrite(key: number, bytes: Uint8Array, into: Uint8Array, at: number): void;
  macMatches(key: number, bytes: Uint8Array, tag: Uint8Array): boolean;
  sha256(bytes: Uint8Array): string;
}

const native = () => addon<SealingExports>();

/** SHA-256, hex. */
export const digestOf = (bytes: Uint8Array): string => native().sha256(bytes);

/** Of several parts, from theirs. It is that of no part: a text of hex and blanks alone is none. */
export const digestOfDigests = (digests: readonly string[]): string =>
  digestOf(Buffer.from(digests.join(' ')));

const secret = (hex: string): number => native().macKey(Buffer.from(hex, 'hex'));
const privateKey = (base64: string) =>
  createPrivateKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'pkcs8' });
const publicKey = (base64: string) =>
  createPublicKey({ key: Buffer.from(base64, 'base64'), format: 'der', type: 'spki' });

const open: FrameSeal = { tagBytes: 0, each: false, seal: () => {}, opens: () => true };

function macs({ keys }: Keys): FrameSeal {
  const { macWrite, macMatches } = native();
  const shared = keys.map((key) => (key === '' ? null : secret(key)));
  return {
    tagBytes: HMAC_BYTES,
    each: true,
    seal(frame, to) {
      const end = frame.length - HMAC_BYTES;
      macWrite(shared[to]!, frame.subarray(0, end), frame, end);
    },
    opens(frame, from) {
      const key = shared[from];
      const end = frame.length - HMAC_BYTES;
      return key != null && macMatches(key, frame.subarray(0, end), frame.subarray(end));
    },
  };
}

function signatures({ keys, ownKey }: Keys): FrameSeal {
  const own = privateKey(ownKey);
  const theirs = keys.map((key) => (key === '' ? null : publicKey(key)));
  return {
    tagBytes: SIGNATURE_BYTES,
    each: false,
    seal(frame) {
      const end = frame.length - SIGNATURE_BYTES;
      frame.set(sign(null, frame.subarray(0, end), own), end);
    },
    opens(frame, from) {
      const key = theirs[from];
      const end = frame.length - SIGNATURE_BYTES;
      return key != null && verify(null, frame.subarray(0, end), key, frame.subarray(end));
    },
  };
}

export const frameSeal = (name: QuorumSealName, keys: Keys): FrameSeal =>
  name === 'hmac' ? macs(keys) : name === 'ed25519' ? signatures(keys) : open;

/** The key that a client shares with the replica whose secret this is. */
function clientSecret(replicaSecret: number, client: number): number {
  const made = new Uint8Array(HMAC_BYTES);
  native().macWrite(replicaSecret, Buffer.from(`client ${client}`), made, 0);
  return native().macKey(made);
}

/** @param id of the replica */
export function requestSeal(
  name: QuorumSealName,
  { clientKey }: Keys,
  id: number,
  replicas: number,
): RequestSeal {
  if (name === 'none') return { headBytes: 0, isAuthentic: () => true };
  if (name === 'ed25519') {
    const key = publicKey(clientKey);
    return {
      headBytes: SIGNATURE_BYTES,
      isAuthentic: (request) =>
        request.length > SIGNATURE_BYTES &&
        verify(null, request.subarray(SIGNATURE_BYTES), key, request.subarray(0, SIGNATURE_BYTES)),
    };
  }
  const { macForget, macMatches } = native();
  const own = secret(clientKey);
  const known = new Map<number, number>();
  const keyOf = (client: number) => {
    let key = known.get(client);
    if (key === undefined) {
      if (known.size === MOST_CLIENT_KEYS) {
        for (const one of known.values()) macForget(one);
        known.clear();
      }
      key = clientSecret(own, client);
      known.set(client, key);
    }
    return key;
  };
  const headBytes = replicas * HMAC_BYTES;
  return {
    headBytes,
    isAuthentic: (request, client) =>
      request.length > headBytes &&
      macMatches(
        keyOf(client),
        request.subarray(headBytes),
        request.subarray(id * HMAC_BYTES, (id + 1) * HMAC_BYTES),
      ),
  };
}

/** All keys of a group, made in one place and handed out. */
export interface GroupKeys {
  of(id: number): Keys;
  /** of clients: what each replica's keys shared with them are made of, or one private key */
  clients: string[];
}

function hmacKeys(replicas: number): GroupKeys {
  const random = () => randomBytes(HMAC_BYTES).toString('hex');
  const pairs = Array.from({ length: replicas }, () => Array.from({ length: replicas }, random));
  const clients = Array.from({ length: replicas }, random);
  return {
    of: (id) => ({
      keys: pairs.map((_, other) => (other === id ? '' : pairs[Math.min(id, other)]![Math.max(id, other)]!)),
      ownKey: '',
      clientKey: clients[id]!,
    }),
    clients,
  };
}

function signingKeys(replicas: number): GroupKeys {
  const pairs = Array.from({ length: replicas + 1 }, () => generateKeyPairSync('ed25519'));
  const spki = (key: KeyObject) => key.export({ format: 'der', type: 'spki' }).toString('base64');
  const pkcs8 = (key: KeyObject) => key.export({ format: 'der', type: 'pkcs8' }).toString('base64');
  const clients = pairs[replicas]!;
  return {
    of: (id) => ({
      keys: pairs.slice(0, replicas).map((pair) => spki(pair.publicKey)),
      ownKey: pkcs8(pairs[id]!.privateKey),
      clientKey: spki(clients.publicKey),
    }),
    clients: [pkcs8(clients.privateKey)],
  };
}

export function groupKeys(name: QuorumSealName, replicas: number): GroupKeys {
  if (name === 'hmac') return hmacKeys(replicas);
  if (name === 'ed25519') return signingKeys(replicas);
  return {
    of: () => ({ keys: Array.from({ length: replicas }, () => ''), ownKey: '', clientKey: '' }),
    clients: [],
  };
}

/** A client's side: makes a request of a command. @param keys as `clients` of the group's keys */
export function requestSealer(
  name: QuorumSealName,
  keys: readonly string[],
  client: number,
): (command: Uint8Array) => Uint8Array {
  if (name === 'none') return (command) => command;
  if (name === 'ed25519') {
    const own = privateKey(keys[0]!);
    return (command) => Buffer.concat([sign(null, command, own), command]);
  }
  const { macWrite } = native();
  const shared = keys.map((key) => clientSecret(secret(key), client));
  const headBytes = shared.length * HMAC_BYTES;
  return (command) => {
    const request = new Uint8Array(headBytes + command.length);
    for (const [replica, key] of shared.entries()) macWrite(key, command, request, replica * HMAC_BYTES);
    request.set(command, headBytes);
    return request;
  };
}
