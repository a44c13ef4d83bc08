/** Which predictor was the best on recorded series, whether it is the one that steers, and what a net came to beside it. */
import type { Predictions } from '../analysis/predictions.js';
import { number } from '../number.js';

const percent = (share: number) => `${number(100 * share, 2)} %`;

export function predictionsInWords({ series, intervalMs, standings, chosen }: Predictions): string[] {
  const best = standings[0]!;
  const steering = standings.find(({ id }) => id === chosen)!;
  const net = standings.findIndex(({ id }) => id === 'lstm');
  const { error, cpuUs } = standings[net]!;
  const share = cpuUs / (1000 * intervalMs);
  return [
    `Of ${standings.length} predictors ${best.name} was the best on the ${series} series that were recorded: ${percent(best.error)} off, by the geometric mean. ${
      steering === best
        ? 'It is the one that steers.'
        : `What steers is ${steering.name}, ${percent(steering.error)} off.`
    }`,
    `The LSTM was ${net === 0 ? 'the best' : `not the best: ${percent(error)} off, rank ${net + 1}`}; with its training it took ${number(cpuUs, 2)} µs of CPU a value, ${percent(share)} of a CPU${
      net === 0 ? '' : ` and ${number(cpuUs / Math.max(best.cpuUs, 1e-3), 2)} times what the best took`
    }.`,
  ];
}
