// Writes schemas/*.json, the JSON Schemas of everything a program or a run writes, from the zod schemas they come from.
// `--check` writes nothing and fails when a file is out of date.
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { z } from 'zod';
import { cost } from '../dist/src/contract/cost.js';
import { datagramLine, dgramResult, dgramStreamLine } from '../dist/src/contract/dgram.js';
import { flameRecord } from '../dist/src/contract/flame.js';
import { guestFile, guestMatrix } from '../dist/src/contract/guest.js';
import { observerLine } from '../dist/src/contract/host.js';
import { hostsFile } from '../dist/src/contract/hosts-file.js';
import { idleLine } from '../dist/src/contract/idle.js';
import { itemsFile } from '../dist/src/contract/items-file.js';
import { relayReady, relayReport } from '../dist/src/contract/link.js';
import { loadLine, loadStreamLine } from '../dist/src/contract/load.js';
import {
  codecsLine,
  guestAlive,
  guestArrived,
  guestHello,
  guestLeft,
  guestResult,
  migrateHello,
  migrateResult,
  pagesLine,
  relayCarried,
  relayListening,
} from '../dist/src/contract/migrate.js';
import { backendProbe } from '../dist/src/contract/probe.js';
import { sessionEnded, sessionReady, sessionResult } from '../dist/src/contract/ramp.js';
import { planFile, runEvent, runInfo } from '../dist/src/contract/run.js';
import { farewell, hello, snapshot } from '../dist/src/contract/server.js';
import { firstReply, firstReplyReady } from '../dist/src/contract/start.js';
import { transferHello, transferResult } from '../dist/src/contract/transfer.js';
import { sample } from '../dist/src/trials/sample.js';

const published = {
  'cost-line': [cost, 'The line of dispatchbench-dispatch-cost.'],
  'datagram-line': [datagramLine, 'One line of a load client of datagrams.'],
  'dgram-result': [dgramResult, 'The result of dgram-benchmark.'],
  'dgram-stream-line': [dgramStreamLine, 'One line of dgram-benchmark --json-lines.'],
  'first-reply-line': [
    z.discriminatedUnion('event', [firstReplyReady, firstReply]),
    'One line of a client that waits for a server to come up.',
  ],
  flame: [flameRecord, 'flame.json of a profiling trial.'],
  guest: [guestFile, 'vm-images/FOLDER/guest.json: how a guest is made and started.'],
  'guest-matrix': [guestMatrix, 'vm-images/matrix.json: the guests and what to expect of them.'],
  hosts: [hostsFile, 'A list of hosts for dispatchbench run --hosts, in YAML or JSON.'],
  'idle-line': [idleLine, 'One line of an idle holder.'],
  items: [itemsFile, 'A list of items for dispatchbench plan --items, in YAML or JSON.'],
  'link-line': [
    z.discriminatedUnion('event', [relayReady, relayReport]),
    'One line of dispatchbench-link, which emulates a link.',
  ],
  'load-line': [loadLine, 'One line of a load client of connections.'],
  'load-stream-line': [loadStreamLine, 'One line of dispatchbench load --json-lines.'],
  'migrate-line': [
    z.union([
      migrateHello,
      migrateResult,
      codecsLine,
      pagesLine,
      relayListening,
      relayCarried,
      guestHello,
      guestArrived,
      guestResult,
      guestLeft,
      guestAlive,
    ]),
    'One line of dispatchbench-migrate, of the relay between its two ends, or of a guest that is moved.',
  ],
  'observer-line': [observerLine, 'One line of the program that tells of the host it runs on.'],
  plan: [planFile, 'A plan for dispatchbench run --plan, in YAML or JSON.'],
  probe: [z.array(backendProbe), 'What dispatchbench probe --json prints.'],
  run: [runInfo, 'run.json of a run.'],
  'run-event': [runEvent, 'One line of dispatchbench run --json.'],
  sample: [sample, 'One line of samples.ndjson.'],
  'server-line': [z.union([hello, snapshot, farewell]), 'One line of a server under test.'],
  'session-line': [
    z.discriminatedUnion('event', [sessionReady, sessionEnded, sessionResult]),
    'One line of a session client.',
  ],
  'transfer-line': [
    z.union([transferHello, transferResult]),
    'One line of dispatchbench-transfer, the sender or the receiver of a bulk transfer.',
  ],
};

const folder = new URL('../schemas/', import.meta.url);
const check = process.argv.includes('--check');
mkdirSync(folder, { recursive: true });
const stale = [];
for (const [name, [schema, description]] of Object.entries(published)) {
  // What users write is described as it is written, the others as they are read.
  const io = ['plan', 'hosts', 'items'].includes(name) ? 'input' : 'output';
  const text = `${JSON.stringify({ title: name, description, ...z.toJSONSchema(schema, { io, reused: 'ref' }) }, null, '\t')}\n`;
  const file = new URL(`${name}.json`, folder);
  let current = '';
  try {
    current = readFileSync(file, 'utf8');
  } catch {
    // Not written yet.
  }
  if (current === text) continue;
  stale.push(name);
  if (!check) writeFileSync(file, text);
}
if (check && stale.length > 0) {
  console.error(`schemas out of date: ${stale.join(', ')}: run 'npm run schemas'`);
  process.exitCode = 1;
}
