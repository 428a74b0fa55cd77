/** Follows the distribution log with one consumer after another. */
import { setTimeout as wait } from 'node:timers/promises';
import { DeadLetterTopic } from '../../dead-letters/kafka/index.ts';
import { kafkaOf } from '../../relay/kafka/index.ts';
import { WrongPartitions } from '../../relay/port.ts';
import { PoisonedStreams } from '../poisoned.ts';
import { Member } from './member.ts';
import type { Following, FollowOptions } from './port.ts';

const PAUSE_MS = 500;

/**
 * Returns at once, and waits for servers that are not there.
 * @throws TypeError when the URL is none.
 */
export const followPartitions = (options: FollowOptions): Following => {
  const { url, namespace, group, logger, deadLetters, onDeadLetter, onReplaced, onFailure } = options;
  const kafka = kafkaOf(url, `${namespace}-${group}`, logger);
  const stopping = new AbortController();
  const topic = new DeadLetterTopic(kafka, namespace);
  const poisoned =
    deadLetters &&
    new PoisonedStreams({
      letters: deadLetters,
      projection: group,
      publish: (letter, event) => topic.publish(letter, event),
      ...(onDeadLetter && { onDeadLetter }),
    });
  let member = new Member(options, poisoned);

  const supervise = async (): Promise<void> => {
    for (;;) {
      member.start();
      const failure = await Promise.race([member.ended, aborted]);
      if (stopping.signal.aborted) return;
      await member.stop();
      if (failure instanceof WrongPartitions) return onFailure(failure);
      const reason = failure instanceof Error ? failure.message : String(failure);
      logger.warn({ err: failure, group }, 'a consumer is replaced');
      onReplaced?.(reason);
      await wait(PAUSE_MS, undefined, { signal: stopping.signal }).catch(() => {});
      if (stopping.signal.aborted) return;
      member = new Member(options, poisoned);
    }
  };

  const aborted = new Promise<undefined>((resolve) => {
    stopping.signal.addEventListener('abort', () => resolve(undefined), { once: true });
  });
  const supervised = supervise();
  return {
    positions: () => member.positions(),
    async stop() {
      stopping.abort();
      await member.stop();
      await supervised;
      await topic.close();
    },
  };
};
