/** An argument vector for a machine's own spawn; nothing of it is ever read by a shell. */
export interface Command {
  command: string;
  args: string[];
}
