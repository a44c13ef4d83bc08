/** Carries out what steps of PBFT hand out: at once where it has committed, so that it can be taken back where it has not. */
import { type Command, Machine } from '../machine.js';
import type { Executed, Output } from './messages.js';

export interface Audience {
  /** null: these bytes are no command */
  commandOf(request: Uint8Array): Command | null;
  /** @param tentative it may yet be taken back */
  replied(command: Command, reply: string, tentative: boolean): void;
  /** a batch was carried out for good */
  settled(executed: Executed): void;
}

export class Execution {
  machine = new Machine();
  readonly #audience: Audience;

  constructor(audience: Audience) {
    this.#audience = audience;
  }

  /** @returns the states that the step asked for */
  carryOut({ revoked, restored, executed, checkpoints }: Output): { sequence: number; data: Uint8Array }[] {
    if (revoked) this.machine.takeBack();
    if (restored) this.machine = Machine.restored(restored.data);
    const states: { sequence: number; data: Uint8Array }[] = [];
    for (const one of executed) {
      const { sequence, tentative } = one;
      if (tentative) this.machine.begin();
      if (tentative || !this.machine.isOpen) this.#apply(one);
      if (tentative) continue;
      this.machine.settle();
      this.#audience.settled(one);
      if (checkpoints.includes(sequence)) states.push({ sequence, data: this.machine.snapshot() });
    }
    return states;
  }

  /** Replies again to a command that was carried out. @returns whether it was */
  repeatReply(command: Command): boolean {
    const { client, sequence } = command;
    const reply = this.machine.replied(client, sequence);
    if (reply !== undefined) this.#audience.replied(command, reply, this.machine.isTentative(client));
    return reply !== undefined;
  }

  isDone(request: Uint8Array): boolean {
    const command = this.#audience.commandOf(request);
    return command !== null && this.machine.isDone(command.client, command.sequence);
  }

  #apply({ batch, tentative }: Executed): void {
    for (const request of batch) {
      const command = this.#audience.commandOf(request);
      const reply = command && this.machine.apply(command);
      if (command && reply !== null) this.#audience.replied(command, reply, tentative);
    }
  }
}
