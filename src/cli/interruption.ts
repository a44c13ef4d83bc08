/** Ctrl-C and its relatives: the first one ends the work in good order, the second at once. */

const codes = { SIGINT: 130, SIGTERM: 143, SIGHUP: 129 } as const;

export interface Interruption {
  signal: AbortSignal;
  /** the shell's code for the signal that came */
  exitCode(): number;
}

/** @param onFirst called once, to say what happens now */
export function interruption(onFirst: () => void): Interruption {
  const controller = new AbortController();
  let code = 0;
  for (const [name, exitCode] of Object.entries(codes)) {
    process.on(name, () => {
      // Children notice the end of their control channel and end as well.
      if (controller.signal.aborted) process.exit(exitCode);
      code = exitCode;
      onFirst();
      controller.abort(new Error(`interrupted by ${name}`));
    });
  }
  return { signal: controller.signal, exitCode: () => code };
}
