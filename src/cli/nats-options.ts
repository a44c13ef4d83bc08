/** The options that name a NATS server, the same for coordinators and agents. */
import type { Command } from '@commander-js/extra-typings';
import type { NatsOptions } from '../carriers/nats.js';

export function withNatsOptions(command: Command) {
  return command
    .option('--nats <url>', 'NATS server: nats://host:port or tls://host:port')
    .option('--fleet <name>', 'agents and coordinators of the same name find each other', 'default')
    .option('--nats-creds <file>', 'credentials file of a NATS user')
    .option('--nats-ca <file>', 'certificate authority of the server')
    .option('--nats-cert <file>', 'client certificate')
    .option('--nats-key <file>', 'its key');
}

interface NatsValues {
  nats?: string | undefined;
  fleet: string;
  natsCreds?: string | undefined;
  natsCa?: string | undefined;
  natsCert?: string | undefined;
  natsKey?: string | undefined;
}

/** Null when no server is named. */
export const natsOptions = (values: NatsValues): NatsOptions | null =>
  values.nats === undefined
    ? null
    : {
        url: values.nats,
        fleet: values.fleet,
        creds: values.natsCreds,
        ca: values.natsCa,
        cert: values.natsCert,
        key: values.natsKey,
      };
