/** A Worker of the environment tests; see `task`. Not a test itself. */
import { parentPort, workerData } from 'node:worker_threads';
import { native } from '../../src/dispatch/native.js';
import { Event, Interest, openPoller } from '../../src/dispatch/poller.js';
import { listBackends } from '../../src/dispatch/registry.js';
import { Descriptors, receive, send } from '../support/descriptors.js';

const { task, handle } = workerData as { task: string; handle?: number };
const tasks: Record<string, () => string[]> = {
  /** uses a handle that belongs to another environment */
  'use-handle': () => {
    try {
      native.pollerTurn(handle ?? 0, 0, 0);
      return ['no error'];
    } catch (error) {
      return [(error as NodeJS.ErrnoException).code ?? String(error)];
    }
  },
  /** echoes once on every backend, and leaves every poller open */
  'echo-and-leave': () =>
    listBackends()
      .filter(({ available }) => available)
      .map(({ name }) => {
        const poller = openPoller({ backend: name });
        const descriptors = new Descriptors();
        const [a, b] = descriptors.socketPair();
        poller.add(a, Interest.read);
        send(b, name);
        poller.turn(0, 10_000_000);
        const answer = receive(poller.descriptorOf(poller.events[Event.slot] as number));
        descriptors.closeAll();
        return answer;
      }),
};
if (task === 'wait-for-ever') {
  const poller = openPoller({ backend: listBackends().find(({ available }) => available)!.name });
  parentPort?.postMessage([]);
  poller.turn(0, -1);
}
parentPort?.postMessage(tasks[task]?.());
