/** Which servers each cluster suite uses, so that one that cannot be had costs only the suites that need it. */

import type { ServiceName } from '../ports.ts';

/** Suites that start a whole cluster, and any that nobody has told of. */
const ALL: readonly ServiceName[] = ['postgres', 'views', 'redis', 'kafka', 'cassandra'];

/** The first that matches counts. */
const NEEDS: readonly (readonly [files: RegExp, needs: readonly ServiceName[]])[] = [
  // On a stand-in, or they say themselves that there is no real server.
  [/^log\/kurrentdb\/|^test\/chaos\/kurrentdb/, []],
  [/^test\//, ALL],
  [/^services\/private\./, ['postgres', 'redis']],
  [/^projections\/cluster\/postgres\//, ['views']],
  [/\/cassandra\//, ['cassandra']],
  [/\/kafka\//, ['kafka']],
  [/\/redis\/|^projections\/(feed|engine\/progress)\//, ['redis']],
  [/\/postgres[/.]|^app\/archive\//, ['postgres']],
];

/** @param file relative to the checkout, with `/` */
export const needsOf = (file: string): readonly ServiceName[] => NEEDS.find(([files]) => files.test(file))?.[1] ?? ALL;
