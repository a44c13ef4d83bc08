/** One end of a protocol of frames, whatever carries its bytes. */
import { type ChildProcess, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import type { z } from 'zod';
import type { Command } from '../command.js';
import { printable } from '../contract/printable.js';
import { encodeFrame, FrameDecoder } from './frames.js';

/** How a link ended, in one sentence. */
export interface Ending {
  how: string;
  /** the other side broke the protocol, or the stream did */
  fault: boolean;
}

export interface Link<In, Out> {
  /** what to call the other side in messages */
  readonly peer: string;
  send(frame: Out): void;
  /** Frames in their order; those that came before are delivered at once. One handler. */
  onFrame(handler: (frame: In) => void): void;
  /** Resolves when it was closed by either side, or a frame is none. Never rejects. */
  readonly ended: Promise<Ending>;
  close(): void;
}

/** Keeps frames until somebody listens. */
export class Inbox<In> {
  #handler: ((frame: In) => void) | null = null;
  #waiting: In[] = [];

  deliver(frame: In): void {
    if (this.#handler) this.#handler(frame);
    else this.#waiting.push(frame);
  }

  listen(handler: (frame: In) => void): void {
    this.#handler = handler;
    for (const frame of this.#waiting.splice(0)) handler(frame);
  }
}

/** Over a pair of streams: our own stdio, or a child's. */
export function streamLink<Schema extends z.ZodType, Out>(
  peer: string,
  schema: Schema,
  input: Readable,
  output: Writable,
): Link<z.infer<Schema>, Out> {
  const inbox = new Inbox<z.infer<Schema>>();
  const decoder = new FrameDecoder(schema);
  const ended = new Promise<Ending>((resolve) => {
    const end = (how: string, fault: boolean) => resolve({ how: `${peer} ${how}`, fault });
    const closed = () => {
      if (decoder.unfinished) end('closed the connection in the middle of a frame', true);
      else end('closed the connection', false);
    };
    input.on('data', (chunk: Buffer) => {
      try {
        for (const frame of decoder.push(chunk)) inbox.deliver(frame);
      } catch (error) {
        end(`sent what is ${(error as Error).message}`, true);
        input.destroy();
      }
    });
    input.once('close', closed);
    input.once('end', closed);
    input.once('error', (error) => end(`broke off (${error.message})`, true));
    // A reader that is gone shows as the end of its own side.
    output.on('error', () => {});
  });
  return {
    peer,
    send: (frame) => output.write(encodeFrame(frame)),
    onFrame: (handler) => inbox.listen(handler),
    ended,
    close: () => {
      output.end();
    },
  };
}

/** Keeps the last words of a program that died; ssh says there why it could not connect. */
const STDERR_TAIL = 400;
const GRACE_MS = 2000;

/**
 * Starts a program that speaks the protocol on its stdio. It ends when its stdin does.
 * @param apart in a session of its own, which Ctrl-C at our terminal does not reach
 */
export function childLink<Schema extends z.ZodType, Out>(
  peer: string,
  schema: Schema,
  { command, args }: Command,
  apart = false,
): Link<z.infer<Schema>, Out> & { child: ChildProcess } {
  const child = spawn(command, args, { stdio: ['pipe', 'pipe', 'pipe'], detached: apart });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => {
    stderr = (stderr + chunk).slice(-STDERR_TAIL);
  });
  const link = streamLink<Schema, Out>(peer, schema, child.stdout, child.stdin);
  const exited = new Promise<string>((resolve) => {
    child.once('error', (error) => resolve(`could not be started (${error.message})`));
    child.once('close', (code, signal) =>
      resolve(signal ? `was killed by ${signal}` : `ended with code ${code}`),
    );
  });
  const ended = Promise.race([
    exited.then((how) => ({ how: `${peer} ${how}`, fault: true })),
    // A broken frame ends the stream first; a plain end of stream waits for the exit that explains it.
    link.ended.then(async (ending) =>
      ending.fault ? ending : { how: `${peer} ${await exited}`, fault: true },
    ),
  ]).then(({ how, fault }) => {
    const words = stderr.trim().split('\n').slice(-2).map(printable).join(' | ');
    return { how: words ? `${how}: ${words}` : how, fault };
  });
  return {
    ...link,
    child,
    ended,
    close: () => {
      link.close();
      if (child.exitCode !== null || child.signalCode !== null) return;
      const timer = setTimeout(() => child.kill('SIGKILL'), GRACE_MS);
      child.once('close', () => clearTimeout(timer));
    },
  };
}
