/** How servers whose answers are known are started. */
import type { Behaviour, RelayFaults } from '../contract/selftest.js';
import type { Program } from '../hosts/program.js';

export const knownAnswerProgram = (behaviour: Behaviour, address = '127.0.0.1'): Program => ({
  script: 'servers/known-answer',
  args: [JSON.stringify(behaviour), address],
});

export const knownRelayProgram = (faults: RelayFaults, address = '127.0.0.1'): Program => ({
  script: 'servers/known-relay',
  args: [JSON.stringify(faults), address],
});
