/** What a gateway is: a command line, the parts it is made of, and how it treats its connections. */

/** What has to lie on a machine: programs and modules of gateways/, engines, and what a system offers. */
export type Part =
  | 'gateway-native'
  | 'gateway-host'
  | 'event-gateway'
  | 'node-gateways'
  | 'node-clients'
  | 'node'
  | 'prefixer'
  | 'prefixer-rust'
  | 'prefixer-go'
  | 'prefixer-compiled'
  | 'prefixer-rust-compiled'
  | 'wasmtime'
  | 'wasmedge'
  | 'wazero'
  | 'wazero-arm64'
  | 'chromium'
  | 'ebpf'
  | 'cat'
  | 'counter'
  | 'device'
  | 'nginx'
  | 'container'
  | 'daemon'
  | 'sandbox'
  | 'image'
  | 'microvm-kvm'
  | 'microvm-tcg';

export interface Gateway {
  /** rows and labels call it so: the report's name where it is one of its variants, else in the same manner */
  name: string;
  /** what it is, for those who do not know the name */
  title: string;
  /** one of the report's five */
  isReports?: true;
  /** a client may send further requests over one connection; left out: it closes after each reply, as the report's do */
  keepsAlive?: true;
  needs: readonly Part[];
  /** it runs in a container, which the daemon starts */
  contained?: true;
  /**
   * A network of its own, from which the upstream of this machine is not reached. Somebody else accepts connections for it,
   * and does so before it listens.
   */
  ownNetwork?: true;
  /** it echoes datagrams instead, as far as it lets them pass */
  datagrams?: true;
  /** a kernel of its own, whose clock is not ours: when it did what is not known */
  ownKernel?: true;
  /**
   * Its command line, with `{address}` and `{port}` where it listens and `{upstream}` for whom it forwards to.
   * @param at the command line of a part, or the path of one that is a file
   */
  command(at: (part: Part) => readonly string[]): readonly string[];
  /**
   * What is exchanged under load: versions are made of it, and put where `{module}` stands in its command line. Those that
   * have one are there for that, and in no other experiment.
   */
  template?: Part;
  /**
   * What one request starts, alone: a process that is given the input and ends. Left out: nothing is started.
   * @param at as above
   */
  perRequest?(at: (part: Part) => readonly string[]): readonly string[];
  /**
   * A program that makes instances as this gateway does, as many as its next argument says, and tells what they take. Left
   * out: it has none.
   * @param at as above
   */
  instances?(at: (part: Part) => readonly string[]): readonly string[];
}
