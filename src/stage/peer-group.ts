/** A group of other people's programs, whose members are told of each other before they start. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { QuorumPeerName } from '../contract/names.js';
import { foreignHello } from '../contract/server.js';
import { validated } from '../contract/validated.js';
import { freePort } from '../free-port.js';
import type { HostProcess } from '../hosts/host.js';
import type { Program } from '../hosts/program.js';
import type { HostPort } from '../options.js';
import { monotonicNs } from '../process.js';
import { wrapped } from '../programs/foreign.js';
import type { PeerAsked } from '../quorum-peers/peer.js';
import { peerOf } from '../quorum-peers/registry.js';
import { type Ground, type Group, sideOf } from './group.js';
import { answerMs } from './patience.js';

type Spec = PeerAsked & { system: QuorumPeerName };

interface Place {
  client: HostPort;
  member: HostPort;
}

interface Member {
  running: HostProcess;
  /** of the program itself, which a wrapper keeps */
  pid: number;
}

export class PeerGroup implements Group {
  readonly hellos: null[];
  readonly clientKeys: string[] = [];
  readonly #system: QuorumPeerName;
  readonly #ground: Ground;
  readonly #listening: readonly Place[];
  readonly #programs: readonly Program[];
  readonly #folder: string;
  readonly #members: Member[] = [];

  private constructor({ system, ...asked }: Spec, ground: Ground, places: readonly Place[]) {
    const peer = peerOf(system)!;
    this.hellos = places.map(() => null);
    this.#system = system;
    this.#ground = ground;
    this.#listening = places;
    const within = asked.fsync ? tmpdir() : (peer.unsyncedIn ?? tmpdir());
    this.#folder = mkdtempSync(join(within, `dispatchbench-${system}-`));
    try {
      this.#programs = peer.members({ ...asked, places, folder: this.#folder });
    } catch (error) {
      this.#remove();
      throw error;
    }
  }

  /** @throws Error in one sentence when it does not stand */
  static async open(spec: Spec, ground: Ground): Promise<PeerGroup> {
    const places: Place[] = [];
    for (let id = 0; id < spec.replicas; id++) {
      const { address: host } = sideOf(ground, id);
      places.push({ client: { host, port: await freePort() }, member: { host, port: await freePort() } });
    }
    const group = new PeerGroup(spec, ground, places);
    try {
      group.#members.push(...(await Promise.all(places.map((_, id) => group.#start(id)))));
    } catch (error) {
      group.#remove();
      throw error;
    }
    return group;
  }

  get places(): HostPort[] {
    return this.#listening.map(({ client }) => client);
  }

  async #start(id: number): Promise<Member> {
    const { role, address, cpus } = sideOf(this.#ground, id);
    const spec = {
      protocol: 'http',
      address,
      port: this.#listening[id]!.client.port,
      cpus,
      control: true,
      readyTimeoutMs: answerMs,
    } as const;
    const name = `${this.#system} ${id}`;
    const running = this.#ground.start(role, name, wrapped(spec, this.#programs[id]!));
    const { pid } = validated(foreignHello, await running.expect('hello', 2 * answerMs), name);
    return { running, pid };
  }

  async kill(replica: number): Promise<number> {
    const { running, pid } = this.#members[replica]!;
    const at = monotonicNs();
    process.kill(pid, 'SIGKILL');
    await this.#ground.end(running);
    return at;
  }

  async restart(replica: number): Promise<void> {
    this.#members[replica] = await this.#start(replica);
  }

  async snapshots(): Promise<null> {
    return null;
  }

  async close(): Promise<void> {
    // Some take seconds to leave a group that comes apart: nothing of it is needed any more.
    for (const { pid } of this.#members) {
      try {
        process.kill(pid, 'SIGKILL');
      } catch {
        // it is gone
      }
    }
    await Promise.all(this.#members.map(({ running }) => this.#ground.end(running)));
    this.#remove();
  }

  #remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}
