/** The rendering thread. It keeps no key after the page that the key came with. */
import { parentPort } from 'node:worker_threads';
import { type Job, rendered } from './rendering.ts';

parentPort!.on('message', (job: Job) => {
  const done = rendered(job);
  parentPort!.postMessage(done, [done.lines.buffer]);
});
