import type { Talkers } from '../children/talkers.ts';
import { type Remote, startChild } from './child.ts';
import { gatewayAt } from './mini-socket.ts';
import { startPlace } from './place.ts';
import { seedPeople } from './seed.ts';
import { withStores } from './stores.ts';

export const SENDERS = 50;

interface Talking {
  /** Default: 50. */
  readonly senders?: number;
  /** Over which the senders are spread. Default: 1. */
  readonly channels?: number;
}

/** Connects people who send, and the owner who listens. */
export const withTalkers = async <T>(
  measure: (talkers: Remote<Talkers>) => Promise<T>,
  { senders = SENDERS, channels = 1 }: Talking = {},
): Promise<T> => {
  const place = await startPlace();
  try {
    const channelIds = await place.channels(channels);
    await place.stop();
    const tokens = await withStores(place.data, (stores) => seedPeople(stores, [place.guildId], senders));
    const { port } = await place.start();
    const child = await startChild<Talkers>('talkers');
    try {
      await child.call.connect({
        protocol: 'parley',
        url: gatewayAt(port),
        tokens,
        listeners: [place.owner.token],
        channelIds,
      });
      return await measure(child.call);
    } finally {
      await child.stop();
    }
  } finally {
    await place.remove();
  }
};
