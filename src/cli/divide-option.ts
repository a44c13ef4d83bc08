/** The option that divides the cells of a run among its hosts. */
import { Option } from '@commander-js/extra-typings';
import { division } from '../contract/run.js';

export const divideOption = () =>
  new Option(
    '--divide <way>',
    'measure each cell on one of the hosts in place of on every one, so that hosts without a CPU in common work at one time: ' +
      'balanced (they end together, by what trials take) or round-robin',
  ).choices(division.options);
