/** One bulk transfer between two processes of this machine, without a trial around it. */
import {
  type ReceiverResult,
  type SenderResult,
  transferHello,
  transferResult,
} from '../contract/transfer.js';
import { validated } from '../contract/validated.js';
import { Child } from '../hosts/child.js';
import { commandOf } from '../hosts/program.js';
import { receiverProgram, type SenderSpec, senderProgram } from '../programs/transfer.js';
import { answerMs, graceMs } from './patience.js';

/** So many bytes say nothing of their time; nobody waits longer for them. */
const longestMs = 600_000;

export interface Transfer {
  sender: SenderResult;
  receiver: ReceiverResult;
}

export type TransferSpec = Omit<SenderSpec, 'port' | 'host' | 'control' | 'cpus'> & {
  /** the first is the sender's, the others are the receiver's; one is both's */
  cpus?: readonly number[] | undefined;
};

/** @throws Error in one sentence when it cannot be measured, or is not whole */
export async function measureTransfer({ cpus = [], ...spec }: TransferSpec): Promise<Transfer> {
  const common = { ...spec, control: true };
  const others = cpus.length > 1 ? cpus.slice(1) : cpus;
  const receiver = new Child('the receiver', commandOf(receiverProgram({ ...common, cpus: others })));
  let sender: Child | undefined;
  try {
    const hello = validated(
      transferHello,
      await receiver.expect('hello', answerMs),
      'what the receiver says of itself',
    );
    if (hello.role !== 'receiver') throw new Error('the receiver says that it is a sender');
    const { port } = hello;
    const program = senderProgram({ ...common, port, cpus: cpus.slice(0, 1) });
    sender = new Child('the sender', commandOf(program));
    const { length } = spec;
    const lasts = 'durationMs' in length ? length.durationMs + longestDrainMs(spec) : longestMs;
    const sent = validated(
      transferResult,
      await sender.expect('result', lasts + answerMs),
      'what the sender measured',
    );
    // A sender that failed leaves a receiver that may wait for long: its own words are the reason.
    if (sent.fault !== null) throw new Error(sent.fault);
    const got = validated(
      transferResult,
      await receiver.expect('result', answerMs),
      'what the receiver measured',
    );
    if (got.fault !== null) throw new Error(got.fault);
    if (sent.role !== 'sender' || got.role !== 'receiver')
      throw new Error('sender and receiver are exchanged');
    return { sender: sent, receiver: got };
  } finally {
    await sender?.end(graceMs);
    await receiver.end(graceMs);
  }
}

/** When the time is over, what is under way is still to arrive: a stream that does not move ends by itself. */
const longestDrainMs = ({ patienceMs = 10_000 }: TransferSpec) => 2 * patienceMs;
