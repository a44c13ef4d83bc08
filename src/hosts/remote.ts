/** Programs on a machine that a starter is reached on, as the runner has them (src/contract/starter.ts). */
import type { Link } from '../carriers/link.js';
import type { StarterReport, StarterRequest } from '../contract/starter.js';
import type { HostProcess } from './host.js';
import { Lines } from './lines.js';
import type { Command, Installation } from './program.js';

type Ready = Extract<StarterReport, { type: 'ready' }>;

class RemoteProgram implements HostProcess {
  readonly lines: Lines;
  pid = 0;
  private over: () => void = () => {};
  private readonly whenEnded = new Promise<void>((resolve) => {
    this.over = resolve;
  });

  constructor(
    readonly name: string,
    private readonly id: number,
    private readonly link: Link<StarterReport, StarterRequest>,
  ) {
    this.lines = new Lines(name);
  }

  finish(how: string): void {
    this.lines.finish(how);
    this.over();
  }

  expect = (event: string, timeoutMs: number) => this.lines.expect(event, timeoutMs);
  send = (text: string) => this.link.send({ type: 'line', id: this.id, text });
  ended = () => this.lines.ended();
  stderrTail = () => this.lines.stderrTail();

  async end(graceMs: number): Promise<void> {
    if (this.ended() === null) this.link.send({ type: 'end', id: this.id, graceMs });
    await this.whenEnded;
  }
}

export class Remote {
  private readonly programs = new Map<number, RemoteProgram>();
  private next = 0;
  private lost: string | null = null;

  private constructor(
    private readonly link: Link<StarterReport, StarterRequest>,
    readonly version: string,
    readonly installation: Installation,
  ) {}

  /** Waits until the starter is there. @throws Error in one sentence when it is not */
  static async over(link: Link<StarterReport, StarterRequest>, timeoutMs: number): Promise<Remote> {
    let timer: NodeJS.Timeout | undefined;
    let remote: Remote | null = null;
    const ready = new Promise<Ready>((resolve, reject) => {
      timer = setTimeout(
        () => reject(new Error(`${link.peer} says nothing for ${timeoutMs / 1000} s`)),
        timeoutMs,
      );
      void link.ended.then(({ how }) => reject(new Error(how)));
      link.onFrame((frame) => {
        if (frame.type === 'ready') resolve(frame);
        else remote?.take(frame);
      });
    });
    try {
      const { version, node, scripts, cli, native } = await ready;
      remote = new Remote(link, version, { node, scripts, cli, native: (name) => `${native}/${name}` });
    } finally {
      clearTimeout(timer);
    }
    void link.ended.then(({ how }) => remote.lose(how));
    return remote;
  }

  start(name: string, { command, args }: Command): HostProcess {
    const id = this.next++;
    const program = new RemoteProgram(name, id, this.link);
    if (this.lost !== null) {
      program.finish(this.lost);
      return program;
    }
    this.programs.set(id, program);
    this.link.send({ type: 'start', id, command, args });
    return program;
  }

  private take(frame: Exclude<StarterReport, Ready>): void {
    // Said before there was a starter.
    if (frame.type === 'bare') return;
    const program = this.programs.get(frame.id);
    if (!program) return;
    if (frame.type === 'started') program.pid = frame.pid;
    else if (frame.type === 'out') program.lines.take(frame.text);
    else if (frame.type === 'err') program.lines.keep(frame.text);
    else if (frame.type === 'ended') {
      this.programs.delete(frame.id);
      program.finish(frame.how);
    }
  }

  private lose(how: string): void {
    this.lost = `was lost: ${how}`;
    for (const program of this.programs.values()) program.finish(this.lost);
    this.programs.clear();
  }
}
