/** A server with a guild of 50 and one of 100,000, made once per run for all benches that use it. The same 50 are in both. */

import { type Place, startPlace } from './place.ts';
import { seedPeople } from './seed.ts';
import { withStores } from './stores.ts';

export const FEW = 50;
export const MANY = 100_000;

export interface Settled {
  readonly guildId: string;
  readonly channelId: string;
  /** Admits everybody. */
  readonly code: string;
}

export interface Populous {
  readonly place: Place;
  readonly few: Settled;
  readonly many: Settled;
  /** Tokens of those who are in both, besides the owner. */
  readonly both: readonly string[];
  /** Tokens of people who are in neither. */
  readonly strangers: readonly string[];
}

const STRANGERS = 400;

let making: Promise<Populous> | undefined;

const make = async (): Promise<Populous> => {
  const place = await startPlace();
  try {
    const large = await place.api().createGuild('Populous');
    const settled = async (guildId: string, channelId: string): Promise<Settled> => ({
      ...{ guildId, channelId },
      code: await place.api().invite(channelId),
    });
    const few = await settled(place.guildId, place.channel.id);
    const many = await settled(large.id, large.channel.id);
    await place.stop();
    const seeded = await withStores(place.data, async (stores) => {
      const both = await seedPeople(stores, [few.guildId, many.guildId], FEW - 1);
      await seedPeople(stores, [many.guildId], MANY - FEW, FEW);
      return { both, strangers: await seedPeople(stores, [], STRANGERS, MANY) };
    });
    // Builds the views now, so that nothing is behind when it is measured.
    await place.start();
    return { place, few, many, ...seeded };
  } catch (error) {
    await place.remove();
    throw error;
  }
};

/** The server on it runs. */
export const populous = (): Promise<Populous> => {
  making ??= make();
  return making;
};

export const removePopulous = async (): Promise<void> => {
  const made = await making?.catch(() => undefined);
  await made?.place.remove();
};
