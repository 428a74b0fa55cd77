/**
 * Ids and invite codes of things that commands create. With a key from the client, a stream records the name before the
 * thing is created, so a retry finds it, also after a restart or on another node.
 */

import { createHmac, randomInt, randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { Either } from 'fp-ts/lib/Either.js';
import { type CreationState, nameCreation } from '../domain/creation.ts';
import type { SnowflakeSource } from '../domain/snowflake.ts';
import { type ParleyError, parleyError } from '../schemas/errors.ts';
import { creationStream } from '../schemas/streams.ts';
import type { Mailboxes } from './mailbox.ts';

/** Letters and digits that cannot be mistaken for each other. */
const CODE_ALPHABET = 'abcdefghijkmnpqrstuvwxyzABCDEFGHJKLMNPQRSTUVWXYZ23456789';
const CODE_LENGTH = 10;

const newCode = (): string => {
  let code = '';
  for (let i = 0; i < CODE_LENGTH; i += 1) code += CODE_ALPHABET[randomInt(CODE_ALPHABET.length)];
  return code;
};

/** The command that creates something. */
export interface Creating {
  /** Idempotency key: see `domain/recent-keys.ts`. `undefined` if the client gave none: nothing repeats the command then. */
  readonly key: string | undefined;
  /** Absent for somebody who is just registering. */
  readonly actor?: string;
  readonly correlationId: string;
  readonly traceparent?: string | null | undefined;
}

interface Deps {
  readonly mailboxes: Pick<Mailboxes, 'run'>;
  readonly ids: SnowflakeSource;
  /** Milliseconds since 1970. */
  readonly now: () => number;
  /** The installation's: what a client chose as its key cannot be guessed from the name of the stream. */
  readonly secret: Buffer;
}

export class CreationNames {
  private readonly deps: Deps;

  constructor(deps: Deps) {
    this.deps = deps;
  }

  /** A snowflake with the time of the creation. */
  id(creating: Creating): Promise<Either<ParleyError, string>> {
    const { ids, now } = this.deps;
    return this.named(creating, ids(now()));
  }

  /** The code of an invite, which nobody can guess. */
  code(creating: Creating): Promise<Either<ParleyError, string>> {
    return this.named(creating, newCode());
  }

  /**
   * For a command on several streams, none of which knows all that it asks for.
   * @param content a fingerprint of that
   * @returns the refusal of another command under the same key
   */
  async content(creating: Creating, content: string): Promise<Either<ParleyError, void>> {
    const first = await this.named(creating, content);
    if (either.isLeft(first)) return first;
    return first.right === content ? either.right(undefined) : either.left(parleyError('keyReused'));
  }

  /** The name recorded under the key; the given one where there is none. */
  private async named({ key, actor, ...command }: Creating, fresh: string): Promise<Either<ParleyError, string>> {
    if (key === undefined) return either.right(fresh);
    let known: string | undefined;
    const recorded = await this.deps.mailboxes.run({
      stream: creationStream(createHmac('sha256', this.deps.secret).update(key).digest('hex')),
      cause: {
        actor: actor ?? fresh,
        // The stream's name stands for the client's key, which need not be stored once more.
        key: randomUUID(),
        correlationId: command.correlationId,
        causationId: null,
        traceparent: command.traceparent ?? null,
      },
      prepare: async () => either.right(undefined),
      decide: (state: CreationState) => {
        known = state.name;
        return nameCreation({ name: fresh, now: this.deps.now() }, state);
      },
    });
    if (either.isLeft(recorded)) return recorded;
    return either.right(recorded.right.events.length > 0 ? fresh : known!);
  }
}
