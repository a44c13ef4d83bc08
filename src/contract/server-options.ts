/**
 * Every option of a server program, once: the command line of the servers in Node, the command that starts any server,
 * and the flags of `dispatchbench serve` are made from this list, and native/servers/options.cc must agree with it in
 * name, order, bounds and defaults (src/dispatch/native.ts). No schemas: server programs load this.
 */

interface Described {
  /** as on the command line, without the dashes */
  flag: string;
  help: string;
}
export interface NumberOption extends Described {
  kind: 'number';
  /** stands for the value in the help */
  value: string;
  low: number;
  high: number;
  /** holds when the option is not given */
  otherwise: number;
}
export interface TextOption extends Described {
  kind: 'text';
  value: string;
  otherwise: string;
}
/** CPU numbers: 0,1 on the command line */
export interface CpusOption extends Described {
  kind: 'cpus';
  value: string;
}
export interface SwitchOption extends Described {
  kind: 'switch';
}
export type ServerOption = NumberOption | TextOption | CpusOption | SwitchOption;

const upTo16Bits = 65535;

/** By the name that TypeScript uses, in the order of the native list. */
export const serverOptions = {
  address: {
    kind: 'text',
    flag: 'address',
    value: 'ip',
    otherwise: '127.0.0.1',
    help: 'address to bind',
  },
  port: {
    kind: 'number',
    flag: 'port',
    value: 'port',
    low: 0,
    high: upTo16Bits,
    otherwise: 0,
    help: 'TCP or UDP port; 0 takes any free one',
  },
  ports: {
    kind: 'number',
    flag: 'ports',
    value: 'count',
    low: 1,
    high: upTo16Bits,
    otherwise: 1,
    help: 'udp-echo: number of consecutive ports',
  },
  cpus: { kind: 'cpus', flag: 'cpu', value: 'list', help: 'CPUs to run on, like 0,2-3' },
  control: { kind: 'switch', flag: 'control', help: 'stdin is the control channel, and its end the end' },
  expose: { kind: 'switch', flag: 'expose', help: 'allow an address that other machines can reach' },
  allow: {
    kind: 'text',
    flag: 'allow',
    value: 'networks',
    otherwise: '',
    help: 'udp-echo: answer these senders only (10.0.0.0/8,...); needed beyond loopback',
  },
  backlog: {
    kind: 'number',
    flag: 'backlog',
    value: 'n',
    low: 1,
    high: upTo16Bits,
    otherwise: 4096,
    help: 'connections that may wait to be accepted, as far as the system lets them',
  },
  acceptBudget: {
    kind: 'number',
    flag: 'accept-budget',
    value: 'n',
    low: 1,
    high: 65536,
    otherwise: 128,
    help: 'connections accepted per readiness event',
  },
  datagramBudget: {
    kind: 'number',
    flag: 'datagram-budget',
    value: 'n',
    low: 1,
    high: 1024,
    otherwise: 32,
    help: 'udp-echo: datagrams answered per readiness event',
  },
  receiveBuffer: {
    kind: 'number',
    flag: 'receive-buffer',
    value: 'bytes',
    low: 0,
    high: 2 ** 30,
    otherwise: 0,
    help: "udp-echo: SO_RCVBUF; 0 leaves the system's default",
  },
  maxEvents: {
    kind: 'number',
    flag: 'max-events',
    value: 'n',
    low: 1,
    high: 65536,
    otherwise: 1024,
    help: 'rows of one wait',
  },
  maxConnections: {
    kind: 'number',
    flag: 'max-connections',
    value: 'n',
    low: 1,
    high: 2 ** 32 - 1,
    otherwise: 2 ** 32 - 1,
    help: 'connections beyond this are refused',
  },
  engineOptions: {
    kind: 'text',
    flag: 'engine-options',
    value: 'words',
    otherwise: '',
    help:
      'how an --engine uses its ring: direct, incremental, bundle (streams; Linux 6.10), no-register, sqpoll and ' +
      'napi=MICROSECONDS (both burn a CPU), buffers=N, bytes=N, zerocopy=BYTES (native echo; Linux 6.1), batch=N with ' +
      'wait=MICROSECONDS',
  },
  workers: {
    kind: 'number',
    flag: 'workers',
    value: 'n',
    low: 1,
    high: 256,
    otherwise: 1,
    help: 'native server of TCP: threads that serve, each with a poller of its own',
  },
  accept: {
    kind: 'text',
    flag: 'accept',
    value: 'how',
    otherwise: '',
    help:
      'how several workers share connections: exclusive (one listening socket, one is woken: epoll), reuseport (one ' +
      'each), shared (one, and all are woken)',
  },
  busyPoll: {
    kind: 'number',
    flag: 'busy-poll',
    value: 'us',
    low: 0,
    high: 1_000_000,
    otherwise: 0,
    help: 'native server of TCP: microseconds that waits ask the network card before they sleep (burns CPU; 0: none)',
  },
  leastWait: {
    kind: 'number',
    flag: 'least-wait',
    value: 'us',
    low: 0,
    high: 1_000_000,
    otherwise: 0,
    help: 'servers on a --backend: microseconds that each wait lasts at least, so that events gather (0: none)',
  },
} as const satisfies Record<string, ServerOption>;

type Options = typeof serverOptions;
export type ServerOptionName = keyof Options;

type ValueOf<Option extends ServerOption> = Option extends NumberOption
  ? number
  : Option extends TextOption
    ? string
    : Option extends CpusOption
      ? readonly number[]
      : boolean;

/** The values of all options. */
export type ServerOptionValues = { [Name in ServerOptionName]: ValueOf<Options[Name]> };

export const serverOptionEntries = Object.entries(serverOptions) as [ServerOptionName, ServerOption][];

/** What the native list says of each option; protocol, backend and engine are options there as well. */
export const nativeServerOptions: readonly string[] = [
  'protocol',
  'backend',
  'engine',
  ...serverOptionEntries.map(([, option]) =>
    option.kind === 'number'
      ? `${option.flag} ${option.low}..${option.high} ${option.otherwise}`
      : option.flag,
  ),
];
