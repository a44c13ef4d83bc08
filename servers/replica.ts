/**
 * A replica of Raft or PBFT, or a member of a broadcast: a server on one of our pollers whose clients and peers speak in frames
 * (src/quorum/frames.ts). Lines and control: src/contract/quorum.ts; options: replica/options.ts.
 */
import { mkdirSync, mkdtempSync, rmSync, statfsSync, writeSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { addonPath } from '../src/addon.js';
import type { ReplicaGroup, ReplicaHello, ReplicaSnapshot } from '../src/contract/quorum.js';
import { monotonicNow as now } from '../src/monotonic.js';
import { buildFacts, fileDigest, getAffinity, processUsage, setAffinity } from '../src/process.js';
import { Kind, MOST_PEER_FRAME, readFrame, sealedPart } from '../src/quorum/frames.js';
import { type FrameSeal, frameSeal } from '../src/sealing/seal.js';
import { PolledControl } from './control.js';
import { versions } from './hello.js';
import { BroadcastCore } from './replica/broadcast.js';
import { type Core, spentAlso, TICK_MS } from './replica/core.js';
import { Disk, LOG_FAILED, loseFolder } from './replica/disk.js';
import { type Connection, Network } from './replica/network.js';
import { parseOptions, type ReplicaOptions } from './replica/options.js';
import { PbftCore } from './replica/pbft.js';
import { Peers } from './replica/peers.js';
import { RaftCore } from './replica/raft.js';

/** Ticks between attempts to reach other replicas. */
const RECONNECT_TICKS = 5;
/** Of statfs(2): tmpfs and ramfs. */
const IN_MEMORY = new Set([0x01021994, 0x858458f6]);

/** A line, whole: the process may end right after. */
function print(line: object): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`);
  for (let at = 0; at < bytes.length; ) {
    try {
      at += writeSync(1, bytes, at);
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EAGAIN') return; // nobody reads any more
    }
  }
}

class Replica {
  readonly #options: ReplicaOptions;
  readonly #network: Network;
  readonly #disk: Disk | null;
  readonly #control: PolledControl;
  #peers: Peers | null = null;
  #core: Core | null = null;
  #group: ReplicaGroup | null = null;
  #seal: FrameSeal | null = null;

  constructor(options: ReplicaOptions, folder: string | null) {
    this.#options = options;
    this.#network = new Network(options.backend);
    this.#disk = folder === null ? null : new Disk(folder, options.fsync);
    this.#network.handlers = {
      frame: (connection, bytes) => this.#frame(connection, bytes),
      connected: () => {},
      closed: (connection) => this.#peers?.closed(connection),
    };
    const bound = this.#network.listen(options.address, options.port);
    this.#control = new PolledControl(
      options.control,
      (id) => this.#snapshot(id),
      (line) => this.#told(line),
    );
    for (const descriptor of this.#control.descriptors)
      this.#network.watch(descriptor, () => this.#control.onReadable(descriptor));
    const { kernel } = buildFacts();
    const hello: ReplicaHello = {
      event: 'hello',
      protocol: options.protocol,
      backend: options.backend,
      capabilities: this.#network.poller.capabilities,
      ...bound,
      pid: process.pid,
      kernel,
      cpuAffinity: getAffinity(),
      versions: versions(),
      digest: fileDigest(addonPath),
      folder,
      inMemory: folder !== null && IN_MEMORY.has(statfsSync(folder).type),
      fsync: options.fsync && folder !== null,
      seal: options.seal,
      fault: options.fault,
      patienceMs: options.patienceMs,
      recovered: {
        entries: this.#disk?.durable.entries.length ?? 0,
        tornBytes: this.#disk?.tornBytes ?? 0,
      },
    };
    print(hello);
  }

  #told(line: string): void {
    if (line === 'crash') process.kill(process.pid, 'SIGKILL');
    else if (line === 'compact') this.#core?.compact();
    else if (line.startsWith('group ') && this.#group === null) this.#join(JSON.parse(line.slice(6)));
  }

  #join(group: ReplicaGroup): void {
    const options = this.#options;
    this.#group = group;
    this.#seal = frameSeal(options.seal, group);
    this.#peers = new Peers(this.#network, group);
    const [network, peers] = [this.#network, this.#peers];
    if (this.#disk !== null) this.#core = new RaftCore(group, options, this.#disk, network, peers, print);
    else if (options.protocol === 'pbft')
      this.#core = new PbftCore(group, options, this.#seal, network, peers);
    else this.#core = new BroadcastCore(group, options, network, peers);
  }

  #snapshot(id: string): void {
    if (this.#core === null) return;
    const { userUs, systemUs, voluntarySwitches, involuntarySwitches, peakRssBytes } = processUsage();
    const line: ReplicaSnapshot = {
      event: 'snapshot',
      id,
      monotonicNs: Math.round(now()),
      ...this.#core.state(),
      cpu: { userUs, systemUs },
      contextSwitches: { voluntary: voluntarySwitches, involuntary: involuntarySwitches },
      peakRssBytes,
      counters: this.#network.poller.counters(),
      frames: { ...this.#network.counts },
    };
    print(line);
  }

  #refuse(connection: Connection): void {
    this.#network.counts.refused++;
    this.#network.close(connection);
  }

  #frame(connection: Connection, bytes: Uint8Array): void {
    const [core, group, seal] = [this.#core, this.#group, this.#seal];
    if (core === null || group === null || seal === null) {
      this.#refuse(connection); // whoever it is comes again
      return;
    }
    const sealed = connection.replica >= 0;
    const frame = readFrame(bytes, sealed ? seal.tagBytes : 0);
    if (frame === null) {
      this.#refuse(connection);
      return;
    }
    const { turnNs } = this.#network;
    const at = now();
    const { sentNs } = frame;
    let spent = spentAlso(frame.spent, {
      wire: Math.max(0, turnNs - sentNs) / 1000,
      wake: Math.max(0, at - Math.max(turnNs, sentNs)) / 1000,
    });
    try {
      if (frame.kind === Kind.request) {
        core.request(connection, frame, spent);
      } else if (frame.kind === Kind.greeting) {
        this.#greeted(connection, frame.from, frame.body, group);
      } else if (frame.from !== connection.replica) {
        throw new Error('in another name');
      } else {
        if (seal.tagBytes > 0) {
          if (!seal.opens(sealedPart(bytes), frame.from)) throw new Error('not authentic');
          spent = spentAlso(spent, { crypto: (now() - at) / 1000 });
        }
        core.message(frame, spent);
      }
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code === LOG_FAILED) throw error;
      this.#refuse(connection);
    }
  }

  #greeted(connection: Connection, from: number, body: Uint8Array, group: ReplicaGroup): void {
    const token = Buffer.from(group.token, 'hex');
    if (from >= group.replicas.length || from === group.id || token.compare(body) !== 0)
      throw new Error('no replica of this group');
    connection.replica = from;
    connection.reader.most = MOST_PEER_FRAME;
  }

  run(): void {
    let nextTick = now();
    let ticks = 0;
    while (this.#control.lines.reason === null) {
      const core = this.#core;
      const restMs = Math.min((nextTick - now()) / 1e6, core?.patience() ?? TICK_MS);
      this.#network.turn(restMs * 1000);
      if (now() >= nextTick) {
        // One tick at a time: a process that was stopped for long does not take that for silence of the leader.
        nextTick = Math.max(nextTick + TICK_MS * 1e6, now());
        if (++ticks % RECONNECT_TICKS === 0) this.#peers?.open();
        this.#core?.tick();
      }
      this.#core?.turnEnds();
      this.#network.flush();
    }
    this.#core?.close();
    if (this.#core === null) this.#disk?.close();
  }
}

/** Where the log is; null: the protocol has none. */
function folderOf({ protocol, folder, empty }: ReplicaOptions): string | null {
  if (protocol !== 'raft') return null;
  if (folder === null) return mkdtempSync(join(tmpdir(), 'dispatchbench-replica-'));
  if (empty) loseFolder(folder);
  else mkdirSync(folder, { recursive: true });
  return folder;
}

try {
  const options = parseOptions(process.argv.slice(2));
  if (options.cpus.length > 0) setAffinity(options.cpus);
  const folder = folderOf(options);
  try {
    new Replica(options, folder).run();
  } finally {
    if (folder !== null && options.temporary) rmSync(folder, { recursive: true, force: true });
  }
} catch (error) {
  process.stderr.write(`dispatchbench-replica: ${(error as Error).message}\n`);
  if (process.env.DISPATCHBENCH_DEBUG) process.stderr.write(`${(error as Error).stack}\n`);
  process.exit(1);
}
process.exit(0);
