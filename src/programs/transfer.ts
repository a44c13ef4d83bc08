/** How the two ends of a bulk transfer are started, wherever they run. */
import type { BackendName } from '../contract/common.js';
import type { TransferWay } from '../contract/transfer.js';
import type { Program } from '../hosts/program.js';
import { flag } from './client.js';

interface EndSpec {
  backend: BackendName;
  /** bytes that one call is given at most */
  chunk?: number | undefined;
  /** bytes that one stream moves before it is another one's turn */
  budget?: number | undefined;
  /** congestion control of the sockets; left out: that of all sockets of the suite */
  congestion?: string | undefined;
  /** a stream on which nothing moves for so many milliseconds ends the transfer */
  patienceMs?: number | undefined;
  cpus?: readonly number[] | undefined;
  /** numeric address to listen at, or to connect to */
  host?: string | undefined;
  /** stdin is the control channel, and its end the program's end */
  control?: boolean | undefined;
}

export interface ReceiverSpec extends EndSpec {
  port?: number | undefined;
}

export interface SenderSpec extends EndSpec {
  port: number;
  streams: number;
  /** bytes that are sent round and round */
  memory?: number | undefined;
  way: TransferWay;
  /** of the streams as many send as pay; it takes a duration */
  adaptive?: boolean | undefined;
  /** without: the receiver counts bytes, and does not know whether they are those that were sent */
  checked: boolean;
  /** how long: so many bytes on all streams together, or for so many milliseconds */
  length: { bytes: number } | { durationMs: number };
}

const native = 'dispatchbench-transfer';

const endArgs = (role: 'sender' | 'receiver', spec: EndSpec, port: number | undefined) => [
  ...flag('role', role),
  ...flag('backend', spec.backend),
  ...flag('host', spec.host),
  ...flag('port', port),
  ...flag('chunk', spec.chunk),
  ...flag('budget', spec.budget),
  ...flag('congestion', spec.congestion),
  ...flag('patience', spec.patienceMs),
  ...flag('cpu', spec.cpus?.length ? spec.cpus.join(',') : undefined),
  ...(spec.control ? ['--control'] : []),
];

export const receiverProgram = (spec: ReceiverSpec): Program => ({
  native,
  args: endArgs('receiver', spec, spec.port),
});

export const senderProgram = ({ length, ...spec }: SenderSpec): Program => ({
  native,
  args: [
    ...endArgs('sender', spec, spec.port),
    ...flag('streams', spec.streams),
    ...flag('memory', spec.memory),
    ...flag('way', spec.way),
    ...('bytes' in length ? flag('bytes', length.bytes) : flag('duration', length.durationMs)),
    ...(spec.adaptive ? ['--adaptive'] : []),
    ...(spec.checked ? [] : ['--no-checksum']),
  ],
});
