/** The command line: argument parsing only. One file per subcommand in commands/, listed in subcommands.ts. */
import { reportLostOutput } from './output.js';
import { programWith } from './program.js';

/** What the command line names: `load ...`, `help load`. Completion alone asks for all of them. */
const [named, ofHelp] = process.argv.slice(2).filter((word) => !word.startsWith('-'));
const wanted = named === 'help' ? ofHelp : named;

/** Every expected fault arrives here as one sentence; a stack only helps whoever debugs the suite itself. */
function reportFault(error: Error): void {
  console.error(`dispatchbench: ${error.message}`);
  if (process.env.DISPATCHBENCH_DEBUG) console.error(error.stack);
  process.exitCode = 1;
  // What a library left open must not keep it; children that end slowly are given their time.
  setTimeout(() => process.exit(), 10_000).unref();
}

reportLostOutput();
await programWith((name) => name === wanted || wanted === 'completion').then(
  (program) => program.parseAsync().catch(reportFault),
  (error: NodeJS.ErrnoException) => {
    // Descriptors that run out while modules are loaded are explained by our caller, who has loaded none.
    if (error.code === 'EMFILE' || error.code === 'ENFILE') throw error;
    reportFault(error);
  },
);
