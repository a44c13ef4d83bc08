/**
 * A long short-term memory (Hochreiter and Schmidhuber 1997, with forget gates) of one layer and one output, in typed arrays: its
 * forward pass, its gradient through time, and Adam (Kingma and Ba 2015). Small on purpose: what is to be known is whether
 * such a net predicts a link better than a few lines of arithmetic do, and at what cost, training included.
 */
import { type Random, randomFrom } from '../../statistics/random.js';
import type { Method, Predictor } from './predictor.js';

/** Gates, in the order of their rows: input, forget, candidate, output. */
const gates = 4;

export interface Shape {
  /** values that a prediction is made from */
  sequence: number;
  hidden: number;
}

/** Weights of a shape: by gate and unit a row of input, previous outputs and bias; then the output's row and bias. */
const rowOf = ({ hidden }: Shape) => hidden + 2;
export const weightCount = (shape: Shape): number => gates * shape.hidden * rowOf(shape) + shape.hidden + 1;

/**
 * Floating-point operations of one forward pass at least: a multiplication and an addition for each weight of each step,
 * with one input; what gates and squashing functions take is left out.
 */
export const forwardFlop = (shape: Shape): number =>
  2 * gates * shape.hidden * (shape.hidden + 1) * shape.sequence + 2 * shape.hidden;

const sigmoid = (value: number) => 1 / (1 + Math.exp(-value));

export function initialWeights(shape: Shape, random: Random): Float64Array {
  const weights = new Float64Array(weightCount(shape));
  const spread = 1 / Math.sqrt(shape.hidden);
  for (let at = 0; at < weights.length; at++) weights[at] = spread * (2 * random() - 1);
  // Forget gates begin open (Gers, Schmidhuber, Cummins 2000).
  const row = rowOf(shape);
  for (let unit = 0; unit < shape.hidden; unit++) weights[(shape.hidden + unit) * row + row - 1] = 1;
  return weights;
}

/** What a pass leaves for the way back. */
export class Net {
  private readonly steps: {
    gates: Float64Array;
    cell: Float64Array;
    squashed: Float64Array;
    output: Float64Array;
  }[];
  private readonly zero: Float64Array;

  constructor(
    readonly shape: Shape,
    readonly weights: Float64Array,
  ) {
    const vector = (size: number) => new Float64Array(size);
    this.zero = vector(shape.hidden);
    this.steps = Array.from({ length: shape.sequence }, () => ({
      gates: vector(gates * shape.hidden),
      cell: vector(shape.hidden),
      squashed: vector(shape.hidden),
      output: vector(shape.hidden),
    }));
  }

  /** @param from where the sequence begins in `inputs` */
  forward(inputs: Float64Array, from: number): number {
    const { hidden, sequence } = this.shape;
    const { weights } = this;
    const row = rowOf(this.shape);
    let before = { cell: this.zero, output: this.zero };
    for (let step = 0; step < sequence; step++) {
      const now = this.steps[step]!;
      const input = inputs[from + step]!;
      for (let gate = 0; gate < gates * hidden; gate++) {
        const start = gate * row;
        let sum = weights[start]! * input + weights[start + row - 1]!;
        for (let unit = 0; unit < hidden; unit++) sum += weights[start + 1 + unit]! * before.output[unit]!;
        now.gates[gate] = gate >= 2 * hidden && gate < 3 * hidden ? Math.tanh(sum) : sigmoid(sum);
      }
      for (let unit = 0; unit < hidden; unit++) {
        now.cell[unit] =
          now.gates[hidden + unit]! * before.cell[unit]! + now.gates[unit]! * now.gates[2 * hidden + unit]!;
        now.squashed[unit] = Math.tanh(now.cell[unit]!);
        now.output[unit] = now.gates[3 * hidden + unit]! * now.squashed[unit]!;
      }
      before = now;
    }
    const last = gates * hidden * row;
    let sum = weights[last + hidden]!;
    for (let unit = 0; unit < hidden; unit++) sum += weights[last + unit]! * before.output[unit]!;
    return sum;
  }

  /** Adds to `gradient` that of the output of the last forward pass, times `error`. */
  backward(inputs: Float64Array, from: number, error: number, gradient: Float64Array): void {
    const { hidden, sequence } = this.shape;
    const { weights, steps } = this;
    const row = rowOf(this.shape);
    const last = gates * hidden * row;
    const ofOutput = new Float64Array(hidden);
    const ofCell = new Float64Array(hidden);
    const ofGate = new Float64Array(gates * hidden);
    for (let unit = 0; unit < hidden; unit++) {
      gradient[last + unit]! += error * steps[sequence - 1]!.output[unit]!;
      ofOutput[unit] = error * weights[last + unit]!;
    }
    gradient[last + hidden]! += error;
    for (let step = sequence - 1; step >= 0; step--) {
      const now = steps[step]!;
      const before = step > 0 ? steps[step - 1]! : { cell: this.zero, output: this.zero };
      for (let unit = 0; unit < hidden; unit++) {
        const [input, forget, candidate, output] = [0, 1, 2, 3].map(
          (gate) => now.gates[gate * hidden + unit]!,
        ) as [number, number, number, number];
        ofCell[unit]! += ofOutput[unit]! * output * (1 - now.squashed[unit]! ** 2);
        ofGate[unit] = ofCell[unit]! * candidate * input * (1 - input);
        ofGate[hidden + unit] = ofCell[unit]! * before.cell[unit]! * forget * (1 - forget);
        ofGate[2 * hidden + unit] = ofCell[unit]! * input * (1 - candidate ** 2);
        ofGate[3 * hidden + unit] = ofOutput[unit]! * now.squashed[unit]! * output * (1 - output);
        ofCell[unit]! *= forget;
      }
      ofOutput.fill(0);
      for (let gate = 0; gate < gates * hidden; gate++) {
        const start = gate * row;
        const slope = ofGate[gate]!;
        gradient[start]! += slope * inputs[from + step]!;
        gradient[start + row - 1]! += slope;
        for (let unit = 0; unit < hidden; unit++) {
          gradient[start + 1 + unit]! += slope * before.output[unit]!;
          ofOutput[unit]! += slope * weights[start + 1 + unit]!;
        }
      }
    }
  }
}

class Adam {
  private readonly first: Float64Array;
  private readonly second: Float64Array;
  private steps = 0;

  constructor(
    private readonly weights: Float64Array,
    private readonly rate: number,
  ) {
    this.first = new Float64Array(weights.length);
    this.second = new Float64Array(weights.length);
  }

  step(gradient: Float64Array): void {
    this.steps += 1;
    const [one, two] = [1 - 0.9 ** this.steps, 1 - 0.999 ** this.steps];
    for (let at = 0; at < gradient.length; at++) {
      const slope = gradient[at]!;
      this.first[at] = 0.9 * this.first[at]! + 0.1 * slope;
      this.second[at] = 0.999 * this.second[at]! + 0.001 * slope * slope;
      this.weights[at]! -= (this.rate * (this.first[at]! / one)) / (Math.sqrt(this.second[at]! / two) + 1e-8);
    }
  }
}

/** How a net learns while a series goes on. All of it is bounded. */
export interface Training extends Shape {
  /** values before it is trained for the first time; until then it says the last value */
  first: number;
  /** values after which it is trained again */
  every: number;
  /** of the past, the newest ones that it is trained on */
  memory: number;
  /** times over all windows: at first, and later */
  epochs: readonly [number, number];
  batch: number;
  rate: number;
}

export const usualTraining: Training = {
  sequence: 10,
  hidden: 8,
  first: 80,
  every: 40,
  memory: 400,
  epochs: [60, 10],
  batch: 16,
  rate: 0.01,
};

/** It predicts the change from the last value, in spreads of the values that it was trained on. */
function lstm(seed: number, training: Training): Predictor {
  const { sequence, first, every, memory, epochs, batch, rate } = training;
  const random = randomFrom(`lstm ${seed}`);
  const net = new Net(training, initialWeights(training, random));
  const adam = new Adam(net.weights, rate);
  const values: number[] = [];
  let mean = 0;
  let spread = 1;
  let trained = 0;
  const scaled = (past: readonly number[]) => Float64Array.from(past, (value) => (value - mean) / spread);

  function train(): void {
    const past = values.slice(-memory);
    mean = past.reduce((sum, value) => sum + value, 0) / past.length;
    spread = Math.sqrt(past.reduce((sum, value) => sum + (value - mean) ** 2, 0) / past.length) || 1;
    const inputs = scaled(past);
    const windows = Array.from({ length: past.length - sequence }, (_, at) => at);
    const gradient = new Float64Array(net.weights.length);
    for (let epoch = 0; epoch < epochs[trained === 0 ? 0 : 1]; epoch++) {
      for (let at = windows.length - 1; at > 0; at--) {
        const other = Math.floor(random() * (at + 1));
        [windows[at], windows[other]] = [windows[other]!, windows[at]!];
      }
      for (let start = 0; start < windows.length; start += batch) {
        const some = windows.slice(start, start + batch);
        gradient.fill(0);
        for (const from of some) {
          const change = inputs[from + sequence]! - inputs[from + sequence - 1]!;
          const error = net.forward(inputs, from) - change;
          net.backward(inputs, from, error / some.length, gradient);
        }
        adam.step(gradient);
      }
    }
    trained = values.length;
  }

  return {
    predict() {
      const last = values.at(-1);
      if (last === undefined) return null;
      if (trained === 0) return last;
      const recent = scaled(values.slice(-sequence));
      const expected = last + net.forward(recent, 0) * spread;
      return expected > 0 ? expected : last;
    },
    observe(value) {
      values.push(value);
      if (values.length >= first && (trained === 0 || values.length - trained >= every)) train();
    },
  };
}

export const lstmMethod: Method = {
  id: 'lstm',
  name: `LSTM ${usualTraining.sequence}/${usualTraining.hidden}, trained on the way`,
  make: (seed) => lstm(seed, usualTraining),
};
