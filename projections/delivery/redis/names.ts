/** Channels of the feed as Redis knows them: all of one partition in one slot, so nothing in it overtakes anything. */
import type { FeedChannel } from '../channels.ts';

export class FeedNames {
  private readonly prefix: string;

  /** @param namespace of one Parley on a Redis that others may use too; without braces */
  constructor(namespace: string) {
    this.prefix = `{${namespace}:feed:`;
  }

  of(partition: number, channel: string): string {
    return `${this.prefix}${partition}}:${channel}`;
  }

  /** `undefined` for what belongs to somebody else. */
  parse(name: string): FeedChannel | undefined {
    const brace = name.indexOf('}:', this.prefix.length);
    if (brace === -1 || !name.startsWith(this.prefix)) return undefined;
    return { partition: Number(name.slice(this.prefix.length, brace)), name: name.slice(brace + 2) };
  }
}
