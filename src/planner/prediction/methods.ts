/** Every way to predict, and the one that is used. */
import { classicMethods } from './classic.js';
import { lstmMethod } from './lstm.js';
import type { Method } from './predictor.js';

export const methods: readonly Method[] = [...classicMethods, lstmMethod];

/** The best on recorded series (`npm run bench:prediction`); a test holds it to that. */
export const chosen: Method = methods.find(({ id }) => id === 'ar-rls')!;
