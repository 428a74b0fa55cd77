/** The rendering thread. It keeps no key beyond the page it came with. */
import { parentPort } from 'node:worker_threads';
import { carryOut, type Job } from './form.ts';

parentPort!.on('message', (job: Job) => parentPort!.postMessage(carryOut(job)));
