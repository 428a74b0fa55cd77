/** The write side as the gateway and the HTTP routes see it. */

import type { Either } from 'fp-ts/lib/Either.js';
import type { Actor } from '../schemas/actor.ts';
import type { Command } from '../schemas/commands/index.ts';
import type { LimitShown, ParleyError } from '../schemas/errors.ts';

export interface CommandContext {
  readonly actor: Actor;
  /** The client's id for this command: asked twice, it is carried out once. `null` promises nothing on a retry. */
  readonly key: string | null;
  /** A known key with other content: `refuse` (sockets) or answer with what the first one did (HTTP nonces). */
  readonly onOtherContent: 'refuse' | 'first';
  /** Whether the request that carries the command was already counted against the limit on everything its caller does. */
  readonly counted: boolean;
  readonly correlationId: string;
  readonly traceparent?: string;
}

export interface CommandOutcome {
  /** At or after the command's events in the whole log. */
  readonly position: number;
  readonly stream: string;
  readonly sequence: number;
  /** What the HTTP route of the same name answers; `null` where that is 204. */
  readonly result: unknown;
}

export interface Submitted {
  readonly outcome: Either<ParleyError, CommandOutcome>;
  /** State of the limit that spoke, for the X-RateLimit headers; absent where none applies. */
  readonly limit: LimitShown | undefined;
}

export interface CommandBus {
  /** Limits, authorises, decides, appends. Commands of one caller to one stream are carried out in the order submitted. */
  submit(context: CommandContext, command: Command): Promise<Submitted>;
}

export interface Typing {
  readonly channelId: string;
  readonly guildId: string | null;
  readonly userId: string;
  /** Milliseconds since 1970. */
  readonly time: number;
}

/** What is told to whoever is listening now and is never stored. */
export interface Ephemeral {
  typing(typing: Typing): void;
}
