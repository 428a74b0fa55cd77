import type { Crowd } from '../children/crowd.ts';
import { type Remote, startChild } from './child.ts';
import { type Place, startPlace } from './place.ts';
import { seedPeople } from './seed.ts';
import { withStores } from './stores.ts';

/**
 * A running server whose guild has `people` members, and a process from which they can all connect.
 * @param env more variables for the server
 */
export const withCrowd = async <T>(
  people: number,
  measure: (place: Place, crowd: Remote<Crowd>, tokens: string[]) => Promise<T>,
  env: Readonly<Record<string, string>> = {},
): Promise<T> => {
  const place = await startPlace(env);
  try {
    await place.stop();
    const tokens = await withStores(place.data, (stores) => seedPeople(stores, [place.guildId], people));
    await place.start();
    const child = await startChild<Crowd>('crowd');
    try {
      return await measure(place, child.call, tokens);
    } finally {
      await child.stop();
    }
  } finally {
    await place.remove();
  }
};
