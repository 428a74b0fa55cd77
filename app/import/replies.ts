/** Guesses replies from the custom of IRC to begin a line with the nickname of the person it answers: `nick: text`. */

import { foldNick, type IrcLine } from './irc-file.ts';

/** After this, a person who is named is more likely spoken to than answered. In milliseconds. */
const ANSWERED_MS = 30 * 60_000;
const NAMED = /^(\S+?)[:,] /;

export class Replies<Message> {
  private readonly latest = new Map<string, { readonly time: number; readonly message: Message }>();

  /** The latest message of the person whom the line names, if that is somebody else and was not long ago. */
  answeredBy({ kind, nick, text, time }: Pick<IrcLine, 'kind' | 'nick' | 'text' | 'time'>): Message | undefined {
    const named = kind === 'message' ? NAMED.exec(text)?.[1] : undefined;
    if (named === undefined || foldNick(named) === foldNick(nick!)) return undefined;
    const found = this.latest.get(foldNick(named));
    return found !== undefined && time - found.time <= ANSWERED_MS ? found.message : undefined;
  }

  said({ nick, time }: Pick<IrcLine, 'nick' | 'time'>, message: Message): void {
    this.latest.set(foldNick(nick!), { time, message });
  }
}
