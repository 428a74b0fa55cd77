/** A data folder with a channel of a million messages, made once per run for all benches that use it. */
import type { Channel } from '../../test/support/api.ts';
import { type Place, startPlace } from './place.ts';
import { seedChannel, seededMessageId, seededSince, seedMessages } from './seed.ts';
import { withStores } from './stores.ts';

export const MANY = 1_000_000;
export const FEW = 10_000;

export interface Million {
  readonly place: Place;
  readonly many: Pick<Channel, 'id'>;
  readonly few: Pick<Channel, 'id'>;
  /** Channels without messages. */
  readonly silent: readonly Channel[];
  /** Id of the n-th message, from 1, in the channel with that many. */
  messageId(ordinal: number, count: number): string;
}

const SILENT = 12;

let making: Promise<Million> | undefined;

const make = async (): Promise<Million> => {
  const place = await startPlace();
  try {
    const create = (name: string) => place.api().createChannel(place.guildId, { name });
    const silent: Channel[] = [];
    for (let i = 0; i < SILENT; i += 1) silent.push(await create(`silent-${i}`));
    await place.stop();
    const until = Date.now();
    const [many, few] = await withStores(place.data, async (stores) => {
      const filled = async (count: number) => {
        const id = await seedChannel(stores, silent[0]!.id, seededSince(count, until) - 1_000);
        await seedMessages(stores, id, place.owner.id, count, until);
        return { id };
      };
      return [await filled(MANY), await filled(FEW)];
    });
    // Builds the views now, so that later measurements see a start and not a rebuild.
    await place.start();
    await place.stop();
    return { place, many, few, silent, messageId: (ordinal, count) => seededMessageId(ordinal, count, until) };
  } catch (error) {
    await place.remove();
    throw error;
  }
};

/** The server on it is stopped. A bench that starts it stops it again. */
export const million = (): Promise<Million> => {
  making ??= make();
  return making;
};

export const removeMillion = async (): Promise<void> => {
  const made = await making?.catch(() => undefined);
  await made?.place.remove();
};
