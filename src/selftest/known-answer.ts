/** Runs a server whose answers are known for as long as a check needs it. */
import type { z } from 'zod';
import {
  type Behaviour,
  listening,
  type RelayFaults,
  type RelayTruth,
  relayTruth,
  type Truth,
  truth,
} from '../contract/selftest.js';
import { validated } from '../contract/validated.js';
import type { Program } from '../hosts/program.js';
import type { HostPort } from '../options.js';
import { knownAnswerProgram, knownRelayProgram } from '../programs/known-answer.js';
import { onStage, type Site } from '../stage/on-stage.js';
import { answerMs } from '../stage/patience.js';
import type { Stage } from '../stage/stage.js';

/** What a check does with the server, on the stage that the server stands on. */
type Use<T> = (target: HostPort, stage: Stage) => Promise<T>;

const during = <T, Told>(
  site: Site,
  program: (address: string) => Program,
  answer: z.ZodType<Told>,
  use: Use<T>,
): Promise<{ measured: T; truth: Told }> =>
  onStage(site, async (stage) => {
    const server = stage.start('server', 'the known-answer server', program(stage.address));
    const { port } = validated(listening, await server.expect('listening', answerMs), server.name);
    const measured = await use({ host: stage.address, port }, stage);
    server.send('truth');
    return { measured, truth: validated(answer, await server.expect('truth', answerMs), server.name) };
  });

/** @returns what `use` measured, and what the server says that it did meanwhile */
export const withKnownAnswer = <T>(site: Site, behaviour: Behaviour, use: Use<T>) =>
  during<T, Truth>(site, (address) => knownAnswerProgram(behaviour, address), truth, use);

/** The same with a relay of datagrams. */
export const withKnownRelay = <T>(site: Site, faults: RelayFaults, use: Use<T>) =>
  during<T, RelayTruth>(site, (address) => knownRelayProgram(faults, address), relayTruth, use);
