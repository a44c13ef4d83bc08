/**
 * A server that delays, stalls, loses or works in a way it is told to, measures what it really did, and tells.
 *
 * It measures itself because a timer of a busy machine is late: the truth is what happened, not what was asked.
 */
import type { Socket } from 'node:net';
import type { z } from 'zod';
import type { behaviour, Truth } from '../src/contract/selftest.js';
import { monotonicNs } from '../src/process.js';

type Told = z.output<typeof behaviour>;

const httpReply = Buffer.from('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok');
const endOfRequest = '\r\n\r\n';
/** Timers of Node are late by up to a millisecond and more: the last of a delay is spun. */
const spinMs = 2;

const sorted = (values: readonly number[]): number[] => [...values].sort((a, b) => a - b);
const middle = (values: readonly number[]): number => sorted(values)[values.length >> 1] ?? 0;

/** Work that no optimiser removes, because its result is used. */
let sink = 0;
function spin(rounds: number): void {
  for (let round = 0; round < rounds; round += 1) sink = (Math.imul(sink, 1664525) + 1013904223) | 0;
}

interface Request {
  socket: Socket;
  reply: Uint8Array;
  cameNs: number;
}

export class TimedServer {
  private readonly delays: number[] = [];
  private readonly acceptDelays: number[] = [];
  private readonly arrivals: number[] = [];
  private readonly waiting: Request[] = [];
  private readonly began = process.cpuUsage();
  private requests = 0;
  private answered = 0;
  private lost = 0;
  private stallNs = 0;
  private sleeping = false;

  constructor(private readonly told: Told) {}

  /** The socket is paused where new connections are to be left alone. */
  readonly serve = (socket: Socket): void => {
    if (this.told.speaks === 'http') this.readHttp(socket);
    else socket.on('data', (data) => this.take(socket, data));
    if (this.told.acceptDelayMs === 0) return;
    const cameNs = monotonicNs();
    setTimeout(() => {
      this.acceptDelays.push(monotonicNs() - cameNs);
      socket.resume();
    }, this.told.acceptDelayMs);
  };

  truth(): Truth {
    const cpu = process.cpuUsage(this.began);
    return {
      event: 'truth',
      requests: this.requests,
      answered: this.answered,
      lost: this.lost,
      delayP50Ns: middle(this.delays),
      delayMaxNs: sorted(this.delays).at(-1) ?? 0,
      stallNs: this.stallNs,
      acceptDelayP50Ns: middle(this.acceptDelays),
      cpuUs: cpu.user + cpu.system,
      arrivalsNs: this.arrivals.map((at) => at - this.arrivals[0]!),
    };
  }

  private readHttp(socket: Socket): void {
    let pending = '';
    socket.on('data', (chunk) => {
      pending += chunk.toString('latin1');
      for (let end = pending.indexOf(endOfRequest); end >= 0; end = pending.indexOf(endOfRequest)) {
        pending = pending.slice(end + endOfRequest.length);
        this.take(socket, httpReply);
      }
    });
  }

  private take(socket: Socket, reply: Uint8Array): void {
    const { recordArrivals, stallAfter, stallMs, loseEvery, delayMs } = this.told;
    const request = { socket, reply, cameNs: monotonicNs() };
    this.requests += 1;
    if (this.arrivals.length < recordArrivals) this.arrivals.push(request.cameNs);
    if (this.requests === stallAfter) {
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, stallMs);
      this.stallNs = monotonicNs() - request.cameNs;
    }
    if (loseEvery > 0 && this.requests % loseEvery === 0) {
      this.lost += 1;
      return;
    }
    if (delayMs === 0) {
      this.answer(request);
    } else {
      this.waiting.push(request);
      if (!this.sleeping) this.serveWaiting();
    }
  }

  private readonly serveWaiting = (): void => {
    this.sleeping = false;
    while (this.waiting.length > 0) {
      const leftMs = this.told.delayMs - (monotonicNs() - this.waiting[0]!.cameNs) / 1e6;
      if (leftMs > 0) {
        this.sleeping = true;
        if (leftMs > spinMs) setTimeout(this.serveWaiting, leftMs - spinMs);
        else setImmediate(this.serveWaiting);
        return;
      }
      this.answer(this.waiting.shift()!);
    }
  };

  private answer({ socket, reply, cameNs }: Request): void {
    spin(this.told.spinRounds);
    socket.write(reply);
    this.answered += 1;
    if (this.told.delayMs > 0) this.delays.push(monotonicNs() - cameNs);
  }
}
