/** Which channels of the feed this process listens to, and from when on it relies on that. */
import type { Audience } from '../../schemas/streams.ts';
import { feedOf, STRUCTURE } from './channels.ts';

export interface Listened {
  readonly partition: number;
  readonly name: string;
  count: number;
  /** Its subscription is in place: what is published in it and does not arrive is missed. */
  required: boolean;
  /** Resolves when nothing of it can be missed any more. */
  ready: Promise<void>;
}

export class Listening {
  private readonly partitions: number;
  private readonly channels = new Map<string, Listened>();

  constructor(partitions: number) {
    this.partitions = partitions;
  }

  hears(channel: string): boolean {
    return channel === STRUCTURE || this.channels.has(channel);
  }

  requires(channel: string): boolean {
    return channel === STRUCTURE || this.channels.get(channel)?.required === true;
  }

  /** @returns the audiences' channels, each once, and which of them are new */
  add(audiences: readonly Audience[]): { readonly all: readonly Listened[]; readonly fresh: readonly Listened[] } {
    const all = new Set<Listened>();
    const fresh: Listened[] = [];
    for (const audience of audiences) {
      const feed = feedOf(audience, this.partitions);
      if (feed === undefined) continue;
      let one = this.channels.get(feed.name);
      if (one === undefined) {
        one = { ...feed, count: 0, required: false, ready: Promise.resolve() };
        this.channels.set(feed.name, one);
        fresh.push(one);
      }
      one.count += 1;
      all.add(one);
    }
    return { all: [...all], fresh };
  }

  /** @returns the channels that nobody listens to any more */
  remove(audiences: readonly Audience[]): readonly Listened[] {
    const left: Listened[] = [];
    for (const audience of audiences) {
      const feed = feedOf(audience, this.partitions);
      const one = feed === undefined ? undefined : this.channels.get(feed.name);
      if (one === undefined) continue;
      one.count -= 1;
      if (one.count > 0) continue;
      this.channels.delete(one.name);
      left.push(one);
    }
    return left;
  }
}

export const byPartition = (channels: readonly Listened[]): ReadonlyMap<number, readonly Listened[]> => {
  const grouped = new Map<number, Listened[]>();
  for (const one of channels) {
    const group = grouped.get(one.partition);
    if (group === undefined) grouped.set(one.partition, [one]);
    else group.push(one);
  }
  return grouped;
};
