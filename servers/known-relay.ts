/**
 * A relay of datagrams whose faults are known: `known-relay FAULTS [ADDRESS]`, the faults as JSON
 * (src/contract/selftest.ts). Lines as those of known-answer.
 */
import { relayFaults } from '../src/contract/selftest.js';
import { validated } from '../src/contract/validated.js';
import { printLine, readControl } from '../src/control.js';
import { runProgram } from '../src/program.js';
import { Relay } from '../src/selftest/relay.js';

/** Of the faults' own chance. */
const seed = 7;

await runProgram('known-relay', async () => {
  const [, , told = '{}', address] = process.argv;
  const relay = new Relay(validated(relayFaults, JSON.parse(told), 'the faults'), seed);
  await relay.listen(1, address);
  readControl(
    (text) => {
      if (text === 'truth') printLine(relay.truth);
    },
    () => process.exit(0),
  );
  const line = { event: 'listening', port: relay.port };
  printLine(line);
});
