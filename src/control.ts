/** The control channel of a client program: lines on stdin, whose end is the program's end. */
import { createInterface } from 'node:readline';

/** @param ended called once, when the parent closed the channel or is gone */
export function readControl(line: (text: string) => void, ended: () => void): void {
  createInterface({ input: process.stdin })
    .on('line', (text) => line(text.trim()))
    .on('close', ended);
}

/** One JSON line of a contract, written whole before anything else happens. */
export function printLine(line: { event: string }): void {
  console.log(JSON.stringify(line));
}
