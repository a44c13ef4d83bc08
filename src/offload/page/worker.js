/** The worker of a provider that is a page. */
import { serveJobs } from '../worker.ts';

const serve = serveJobs((message) => postMessage(message));
addEventListener('message', ({ data }) => serve(data));
