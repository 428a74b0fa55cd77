/** The benches of the log in KurrentDB. */

import type { Bench } from '../bench.ts';
import { appending, tailLatency } from './appending.ts';
import { reading, tailing } from './reading.ts';
import { recovery } from './recovery.ts';

/** @param url of a real server, on which also the targets are judged that the stand-in says nothing about */
export const kurrentBenches = (url: string | undefined): readonly Bench[] => [
  appending(url),
  tailLatency(url),
  tailing(url),
  reading(url),
  // Nobody can make the connections of a real server die without a word.
  ...(url === undefined ? [recovery] : []),
];
