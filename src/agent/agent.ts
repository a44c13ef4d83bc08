/** The load machine's side: answers one coordinator until the link ends. */
import type { Ending, Link } from '../carriers/link.js';
import { AGENT_PROTOCOL, type AgentFacts, type Command, type Job, type Report } from '../contract/agent.js';
import { monotonicNs } from '../process.js';
import type { Step } from '../ramp/client.js';

export interface Agent {
  name: string;
  facts: AgentFacts;
  prepare(job: Job): Step;
}

/** Serves until the coordinator says bye or the link ends; no job outlives it. Resolves with how it ended. */
export async function serve(link: Link<Command, Report>, agent: Agent): Promise<Ending> {
  let running: { id: number; step: Step } | null = null;
  let saidBye: () => void = () => {};
  const bye = new Promise<Ending>((resolve) => {
    saidBye = () => resolve({ how: 'the coordinator said bye', fault: false });
  });

  const begin = (id: number, job: Job): void => {
    if (running) {
      link.send({ type: 'failed', id, reason: `busy with job ${running.id}` });
      return;
    }
    const step = agent.prepare(job);
    running = { id, step };
    const over = (frame: Report): void => {
      if (running?.id !== id) return;
      running = null;
      link.send(frame);
    };
    step.ready.then(() => link.send({ type: 'ready', id })).catch(() => {});
    step.result.then(
      (result) => over({ type: 'result', id, result }),
      (error: Error) => over({ type: 'failed', id, reason: error.message }),
    );
  };

  link.onFrame((frame) => {
    switch (frame.type) {
      case 'ping': {
        const receivedNs = monotonicNs();
        link.send({ type: 'pong', id: frame.id, receivedNs, sentNs: monotonicNs() });
        break;
      }
      case 'job':
        begin(frame.id, frame.job);
        break;
      case 'start':
        if (running?.id === frame.id) running.step.start(frame.atNs);
        break;
      case 'stop':
        if (running?.id === frame.id) void running.step.stop();
        break;
      case 'bye':
        saidBye();
        break;
    }
  });
  link.send({ type: 'register', protocol: AGENT_PROTOCOL, name: agent.name, facts: agent.facts });
  const ending = await Promise.race([bye, link.ended]);
  await (running as { step: Step } | null)?.step.stop();
  return ending;
}
