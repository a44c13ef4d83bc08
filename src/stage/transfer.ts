/** One bulk transfer on a stage: the client's side sends, the server's receives. */
import { type OwnTransfer, ownTransfer, transferHello, transferResult } from '../contract/transfer.js';
import { validated } from '../contract/validated.js';
import { receiverProgram, type SenderSpec, senderProgram } from '../programs/transfer.js';
import { answerMs } from './patience.js';
import type { Stage } from './stage.js';

/** So many bytes say nothing of their time; nobody waits longer for them. */
const longestMs = 600_000;

/** `received`: bytes that the receiver takes with one call at most; left out: its own choice */
export type TransferSpec = Omit<SenderSpec, 'port' | 'host' | 'control' | 'cpus'> & {
  received?: number | undefined;
};

/**
 * @param started called with the receiver's port once the sender was started
 * @throws Error in one sentence when it cannot be measured, or is not whole
 */
export async function transfer(
  stage: Stage,
  { received, ...spec }: TransferSpec,
  started: (port: number) => void = () => {},
): Promise<OwnTransfer> {
  const { backend, congestion, patienceMs, length } = spec;
  const { address: host, pinning } = stage;
  const common = { backend, congestion, patienceMs, host, control: true };
  const receiver = stage.start(
    'server',
    'the receiver',
    receiverProgram({ ...common, chunk: received, cpus: pinning.server }),
  );
  const hello = validated(
    transferHello,
    await receiver.expect('hello', answerMs),
    'what the receiver says of itself',
  );
  if (hello.role !== 'receiver') throw new Error('the receiver says that it is a sender');
  const { port } = hello;
  const program = senderProgram({ ...spec, ...common, port, cpus: pinning.client });
  const sender = stage.start('client', 'the sender', program);
  started(port);
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
  if (sent.role !== 'sender' || got.role !== 'receiver') throw new Error('sender and receiver are exchanged');
  const told = sent.streams.flatMap(({ retransmits }) => retransmits ?? []);
  const streams = {
    bytes: sent.streams.map(({ bytes }) => bytes),
    connectNs: sent.streams.map(({ connectNs }) => connectNs),
    retransmits: told.length === sent.streams.length ? told : null,
  };
  return validated(ownTransfer, { sender: sent, receiver: got, streams }, 'the transfer');
}

/** When the time is over, what is under way is still to arrive: a stream that does not move ends by itself. */
const longestDrainMs = ({ patienceMs = 10_000 }: TransferSpec) => 2 * patienceMs;
