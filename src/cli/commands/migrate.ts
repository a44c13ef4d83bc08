/** `dispatchbench migrate`: memory is moved from one process of this machine to another, by ours and by QEMU. */
import { Command, InvalidArgumentError, Option } from '@commander-js/extra-typings';
import { type BackendName, backendName } from '../../contract/common.js';
import {
  type CodecsLine,
  migrationCodecs,
  mostMigrationConnections,
  mostMigrationWorkers,
  pageSets,
} from '../../contract/migrate.js';
import { list, names } from '../../experiments/flags.js';
import { durationOption, wholeNumber } from '../../options.js';
import { compareCodecs } from '../../stage/migrate.js';
import { withExamples } from '../examples.js';
import { memories, peerNames, rowsOf } from '../migration.js';
import { describe, describeCodecs } from '../migration-table.js';

/** '64M' -> bytes, whole pages */
function memorySize(text: string): number {
  const [, digits, unit] = text.match(/^(\d+)([kMG])$/) ?? [];
  const bytes = Number(digits) * { k: 2 ** 10, M: 2 ** 20, G: 2 ** 30 }[unit ?? 'M']!;
  if (bytes >= 4096 && bytes <= 2 ** 34 && bytes % 4096 === 0) return bytes;
  throw new InvalidArgumentError(
    `'${text}' is no size of memory up to 16G: write 64M, in whole pages of 4k.`,
  );
}

/** '1%' -> millionths */
function share(text: string): number {
  const [, digits] = text.match(/^(\d+(?:\.\d+)?)%$/) ?? [];
  const millionths = Math.round(Number(digits) * 1e4);
  if (millionths >= 1 && millionths <= 1e6) return millionths;
  throw new InvalidArgumentError(`'${text}' is no share of memory: write 1% or 0.1%.`);
}

export const migrate = new Command('migrate')
  .description(
    'move memory from one process to another, as a machine that changes its host does: zero pages left out, what changed since it was last sent told as a difference, compressed, every block and the whole checked at both ends',
  )
  .option('--pages <list>', `page sets by seed: ${pageSets.join(', ')}`, names(pageSets, 'page set'), [
    'vm',
    'mixed',
  ])
  .option('--size <bytes>', 'memory: left out, 64M of a page set, 128M of a guest', memorySize)
  .option(
    '--file <path>',
    'memory in the place of page sets: a file of whole pages, as a guest of QEMU has its memory in',
  )
  .addOption(
    new Option(
      '--guest',
      'in the place of page sets: a Linux guest of QEMU, emulated, that goes on running on the other side',
    ).conflicts(['file', 'dirty', 'passes']),
  )
  .option('--seed <n>', 'of page sets', wholeNumber(0, 2 ** 32), 1)
  .option(
    '--codec <list>',
    `how it travels: ${migrationCodecs.join(', ')}`,
    names(migrationCodecs, 'codec'),
    ['none', 'zstd', 'auto'],
  )
  .option('--level <n>', 'of the codec; left out: 1, of zstd-prefix 3', wholeNumber(1, 22))
  .option('--rate <list>', 'of the link, Mbit/s; 0: none', list(wholeNumber(0, 1_000_000)), [0])
  .option('--connections <n>', 'at the same time', wholeNumber(1, mostMigrationConnections), 2)
  .option('--workers <n>', 'threads that compress', wholeNumber(1, mostMigrationWorkers), 2)
  .option('--dirty <share>', 'of the memory that is changed before each further pass', share)
  .option('--passes <n>', 'over memory, at most', wholeNumber(1, 1000))
  .option(
    '--dirty-rate <n>',
    'pages a second that are written to while memory is moved, by the guest where there is one: passes go on until what is left is little, then writing stops',
    wholeNumber(1, 1_000_000_000),
  )
  .addOption(durationOption('--downtime <time>', 'writing stops when what is left takes no longer', '300ms'))
  .option(
    '--backend <name>',
    'mechanism, at both ends',
    (text) => backendName.parse(text),
    'epoll' as BackendName,
  )
  .option(
    '--peer <list>',
    `who moves it beside ours, in turn: ${peerNames.join(', ')}`,
    names(peerNames, 'peer'),
  )
  .addOption(
    new Option('--codecs', 'move nothing: compare what every codec makes of the page sets').conflicts(
      'guest',
    ),
  )
  .option('--repeat <n>', 'repetitions of all, one after the other', wholeNumber(1, 1000), 3)
  .addOption(
    durationOption('--patience <time>', 'a connection on which nothing moves for so long ends it', '10s'),
  )
  .option('--json', 'print what every repetition measured, as JSON')
  .action(async ({ json, repeat, codecs, ...asked }) => {
    if (codecs) {
      const all: { pages: string; line: CodecsLine }[] = [];
      for (const { name, memory } of memories(asked)) {
        all.push({ pages: name, line: await compareCodecs(memory, asked.dirty) });
      }
      console.log(json ? JSON.stringify(all, null, 2) : all.map(describeCodecs).join('\n\n'));
      return;
    }
    const rows = rowsOf(asked);
    for (let repetition = 0; repetition < repeat; repetition++) {
      // Each of them first in its turn, so that a machine that slows down slows all.
      for (const at of rows.keys()) {
        const row = rows[(at + repetition) % rows.length]!;
        row.measured.push(await row.measure());
      }
    }
    if (json) {
      const moves = rows.flatMap(({ pages, rate, way, measured }) =>
        measured.map((one) => ({ asked: { pages, rate, way }, ...one })),
      );
      console.log(JSON.stringify({ moves }, null, 2));
    } else console.log(describe(rows));
  });

withExamples(migrate, [
  ['migrate --rate 50,200 --peer qemu-multifd-zstd', 'what a slow link makes of it, beside QEMU'],
  ['migrate --dirty 1% --codec zstd', 'a second pass, after 1 % of memory has changed'],
  ['migrate --dirty-rate 2000 --rate 100 --codec auto', 'memory that is written to while it is moved'],
  [
    'migrate --guest --dirty-rate 400 --rate 100 --codec zstd --peer qemu-multifd-zstd',
    'a Linux guest that runs, and goes on running',
  ],
  ['migrate --codecs', 'ratio and rates of every codec'],
]);
