import type { KafkaMessage } from 'kafkajs';
import { parseEvent, parseTick } from '../../relay/records.ts';
import type { Delivered } from '../partition-worker.ts';

/** A tick has no key. What cannot be read is left out: the next tick tells that something is missing. */
export const delivered = (
  { key, value, offset }: KafkaMessage,
  onUnreadable: (failure: unknown) => void,
): Delivered => {
  const next = (BigInt(offset) + 1n).toString();
  try {
    const json = value?.toString() ?? '';
    return key === null ? { tick: parseTick(json), next } : { event: parseEvent(json), next };
  } catch (failure) {
    onUnreadable(failure);
    return { next };
  }
};
