/** Waiting for a group that comes together. */
import { setTimeout as pause } from 'node:timers/promises';

/** One that has just been started, or lost its leader, has agreed on one long before, milliseconds. */
const readyMs = 30_000;
const againMs = 20;

/**
 * Asks the members, one after the other, until one has an answer.
 * @param ask null: another one may know; so does one that throws
 * @param whom in messages: 'a member of etcd'
 * @throws Error in one sentence when none has
 */
export async function untilAnswered<Member, Answer>(
  members: readonly Member[],
  ask: (member: Member, number: number) => Promise<Answer | null>,
  whom: string,
): Promise<Answer> {
  let last = '';
  for (const deadline = performance.now() + readyMs; performance.now() < deadline; await pause(againMs))
    for (const [number, member] of members.entries())
      try {
        const answer = await ask(member, number);
        if (answer !== null) return answer;
      } catch (error) {
        last = `: ${(error as Error).message}`;
      }
  throw new Error(`${whom} was not ready within ${readyMs / 1000} s${last}`);
}
