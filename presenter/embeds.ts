/** Embeds as clients see them. They are stored as their authors wrote them. */

import { timeFromIso } from '../schemas/codecs.ts';
import type { MessageBody } from '../schemas/events/channel.ts';
import { wireTime } from './time.ts';

type Embed = MessageBody['embeds'][number];

/** They are always there where they are allowed, so that no field of an embed lacks its name. */
const MAY_BE_EMPTY = new Set(['name', 'value', 'text']);

/** Discord shows no field that says nothing, and some libraries read a `null` or an empty link as an error. */
const withoutNothing = (given: unknown): unknown => {
  if (Array.isArray(given)) return given.map(withoutNothing);
  if (typeof given !== 'object' || given === null) return given;
  const said = Object.entries(given).filter(
    ([name, value]) => value !== null && (value !== '' || MAY_BE_EMPTY.has(name)),
  );
  return Object.fromEntries(said.map(([name, value]) => [name, withoutNothing(value)]));
};

const timeOf = (given: string): string => {
  const time = timeFromIso(given) ?? timeFromIso(`${given}Z`);
  return time === undefined ? given : wireTime(time);
};

/** Only Discord itself makes other types than `rich`. */
export const presentEmbed = (embed: Embed): Embed => {
  const { timestamp, fields, image, thumbnail, ...said } = withoutNothing(embed) as Embed;
  const media = Object.entries({ image, thumbnail }).filter(([, one]) => (one as Embed | undefined)?.url !== undefined);
  return {
    ...said,
    ...Object.fromEntries(media),
    ...(typeof timestamp === 'string' ? { timestamp: timeOf(timestamp) } : {}),
    ...(Array.isArray(fields) ? { fields: fields.map((field: Embed) => ({ inline: false, ...field })) } : {}),
    type: 'rich',
  };
};
