/** Events of `read-<user>`: how far a person has read. */
import * as t from 'io-ts';

export const ChannelsRead = t.type({
  userId: t.string,
  /** Ordinal of the last message read, by channel id. */
  channels: t.record(t.string, t.number),
  /** True on every thousandth event: `channels` is then the whole map, so that a reader can start there. */
  whole: t.boolean,
});
