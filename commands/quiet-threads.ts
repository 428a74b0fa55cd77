/** Archiving threads in which nothing is said any more. */

import { randomUUID } from 'node:crypto';
import { either } from 'fp-ts';
import type { ChannelState } from '../domain/channel.ts';
import { idempotencyKey } from '../domain/recent-keys.ts';
import { archivedAt, archiveQuiet, lastMessageTime } from '../domain/thread.ts';
import type { ChannelRow } from '../projections/views/guild-views/view.ts';
import type { Clock } from '../schemas/clock.ts';
import { channelStream } from '../schemas/streams.ts';
import type { Logger } from '../telemetry/logger.ts';
import type { CommandDeps } from './command.ts';
import { DueWork } from './due-work.ts';

/** How often all active threads are looked through, in milliseconds. The shortest silence that archives is an hour. */
export const LOOK_MS = 30_000;
/** Threads that are looked at together. */
const PAGE = 100;

interface Deps extends Pick<CommandDeps, 'log' | 'views' | 'mailboxes' | 'now'> {
  readonly clock: Clock;
  readonly logger: Logger;
}

const archive = async ({ log, mailboxes, now, logger }: Deps, { id, thread }: ChannelRow): Promise<void> => {
  const stream = channelStream(id);
  const [last] = await log.readStream({ stream, direction: 'backwards', limit: 1 });
  const key = idempotencyKey(id, 'thread.archive', String(last?.sequence ?? 0));
  const causationId = last?.id ?? null;
  const cause = { actor: thread!.ownerId, key, correlationId: randomUUID(), causationId, traceparent: null };
  const archived = await mailboxes.run({
    stream,
    cause,
    prepare: async () => either.right(undefined),
    decide: (state: ChannelState) => archiveQuiet(now(), state),
  });
  if (either.isLeft(archived))
    logger.error({ thread: id, reason: archived.left.message }, 'a thread that is quiet is not archived yet');
};

/**
 * Archives the threads that are quiet. The views say which may be. If their last message was deleted or is not in the
 * views yet, it is too early, which the thread's stream decides.
 */
export const quietThreads = (deps: Deps): DueWork =>
  new DueWork({
    ...{ clock: deps.clock, logger: deps.logger, everyMs: LOOK_MS },
    failure: 'threads that are quiet could not be archived',
    look: async (signal) => {
      const { guilds, unread } = deps.views;
      let after: string | undefined;
      do {
        const page = await guilds.activeThreads({ ...(after === undefined ? {} : { after }), limit: PAGE });
        const heads = await unread.heads(page.map(({ id }) => id));
        const quiet = page.filter(({ id, thread }) => {
          const spoken = lastMessageTime(heads.get(id)?.messageId ?? null);
          return archivedAt(thread!.details, spoken) <= deps.now();
        });
        await Promise.all(quiet.map((row) => archive(deps, row)));
        after = page.length < PAGE ? undefined : page.at(-1)!.id;
      } while (after !== undefined && !signal.aborted);
    },
  });
