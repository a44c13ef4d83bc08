/** Execution classes: absolute figures of two of them never share an axis, a scale or a mean. */
import type { ExecutionClass } from '../contract/common.js';
import type { HostFacts } from '../contract/host.js';

interface OnHost {
  host: Pick<HostFacts, 'executionClass'>;
}

/** What is drawn or compared by its absolute figures. @throws Error when it is of hosts of several classes */
export function absolute<One extends OnHost>(all: readonly One[]): readonly One[] {
  const [first, other] = new Set(all.map(({ host }) => host.executionClass));
  if (other !== undefined)
    throw new Error(
      `absolute figures of hosts of class ${first} and ${other} do not belong on one axis: only their growth does`,
    );
  return all;
}

/** The same class by class, in the order in which they come. */
export function byClass<One extends OnHost>(all: readonly One[]): [ExecutionClass, readonly One[]][] {
  const classes = [...new Set(all.map(({ host }) => host.executionClass))];
  return classes.map((one) => [one, absolute(all.filter(({ host }) => host.executionClass === one))]);
}
