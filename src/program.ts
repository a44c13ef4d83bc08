/** How every program reports a fault that it expects: one sentence on stderr, and an exit code other than 0. */
export async function runProgram(name: string, main: () => Promise<unknown>): Promise<void> {
  try {
    await main();
  } catch (error) {
    console.error(`${name}: ${(error as Error).message}`);
    // A stack only helps whoever debugs the suite itself.
    if (process.env.DISPATCHBENCH_DEBUG) console.error((error as Error).stack);
    process.exit(1);
  }
}
