import type { Talkers } from '../children/talkers.ts';
import { type Remote, startChild } from './child.ts';
import { startPlace } from './place.ts';
import { seedPeople } from './seed.ts';
import { withStores } from './stores.ts';

export const SENDERS = 50;

/** Connects fifty people who send in one channel, and the owner who listens. */
export const withTalkers = async <T>(measure: (talkers: Remote<Talkers>) => Promise<T>): Promise<T> => {
  const place = await startPlace();
  try {
    await place.stop();
    const tokens = await withStores(place.data, (stores) => seedPeople(stores, place.guildId, SENDERS));
    const { port } = await place.start();
    const child = await startChild<Talkers>('talkers');
    try {
      await child.call.connect({ port, tokens, listener: place.owner.token, channelIds: [place.channel.id] });
      return await measure(child.call);
    } finally {
      await child.stop();
    }
  } finally {
    await place.remove();
  }
};
