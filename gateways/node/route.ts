/** What a gateway does for a request, decided by method and target alone; native/gateway/route.cc in TypeScript. */

export type Route =
  | { work: 'hello' | 'state' | 'health' | 'forward' }
  | { work: 'compute'; iterations: number }
  | { work: 'refuse'; status: number; reason: string };

const ITERATIONS = 20_000;

function compute(query: string, maxIterations: number): Route {
  const name = 'iters=';
  const pair = query.split('&').find((one) => one.startsWith(name));
  if (pair === undefined) return { work: 'compute', iterations: ITERATIONS };
  const text = pair.slice(name.length);
  const iterations = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (iterations <= maxIterations) return { work: 'compute', iterations };
  return {
    work: 'refuse',
    status: 400,
    reason: 'iters must be a number, and no more than --max-iters allows',
  };
}

/** @param target as it stands in the request line */
export function route(method: string, target: string, maxIterations: number): Route {
  if (method !== 'GET' && method !== 'HEAD') {
    return { work: 'refuse', status: 405, reason: 'only GET and HEAD are served here' };
  }
  if (!target.startsWith('/')) return { work: 'refuse', status: 400, reason: 'the target must be a path' };
  const mark = target.indexOf('?');
  switch (mark < 0 ? target : target.slice(0, mark)) {
    case '/':
      return { work: 'hello' };
    case '/compute':
      return compute(mark < 0 ? '' : target.slice(mark + 1), maxIterations);
    case '/state':
      return { work: 'state' };
    case '/health':
      return { work: 'health' };
    default:
      return { work: 'forward' };
  }
}
