/** One transfer by a real iperf3 on a stage: the client's side sends, the server's receives. */
import { type PeerTransfer, peerListening, peerResult } from '../contract/transfer.js';
import { validated } from '../contract/validated.js';
import { type Iperf3ProgramSpec, iperf3Program } from '../programs/iperf3.js';
import { answerMs } from './patience.js';
import type { Stage } from './stage.js';

export type Iperf3Transfer = Omit<
  Extract<Iperf3ProgramSpec, { role: 'sender' }>,
  'role' | 'address' | 'port' | 'cpus'
>;

/** @throws Error in one sentence when it cannot be measured */
export async function transferByIperf3(stage: Stage, spec: Iperf3Transfer): Promise<PeerTransfer> {
  const { address } = stage;
  const { server, client } = stage.pinning;
  const receiver = stage.start(
    'server',
    'iperf3, receiving',
    iperf3Program({ role: 'receiver', address, cpus: server }),
  );
  const { port } = validated(
    peerListening,
    await receiver.expect('listening', answerMs),
    'what the receiving iperf3 says',
  );
  const sender = stage.start(
    'client',
    'iperf3, sending',
    iperf3Program({ role: 'sender', ...spec, address, port, cpus: client }),
  );
  // Whole seconds, rounded, and what is on its way then.
  const line = await sender.expect('result', spec.durationMs + 2 * answerMs);
  const { event: _, ...measured } = validated(peerResult, line, 'what iperf3 measured');
  return measured;
}
