const PREFIX = 'channel-';

/** Id of the channel a stream belongs to; `undefined` for streams of other kinds. */
export const channelOf = (stream: string): string | undefined =>
  stream.startsWith(PREFIX) ? stream.slice(PREFIX.length) : undefined;
