/** Fills the stand-in with events of ours without a client, for specs that need very many. */

import { newEvent } from '../../testing.ts';
import { toProposed } from '../events.ts';
import type { Proposed, RecordStore } from './store.testing.ts';

/** An event as Parley writes it. */
export const proposedEvent = (stream = 'channel-1', sequence = 1): Proposed => ({
  ...toProposed(newEvent(stream, sequence)),
  contentType: 'application/json',
});

/**
 * Appends `count` events, in turn to so many streams, at most 500 an append. All have the same content.
 * @returns the positions of all events
 */
export const fill = (store: RecordStore, count: number, streams = 20): readonly number[] => {
  const one = proposedEvent();
  const positions: number[] = [];
  const perAppend = Math.min(500, Math.ceil(count / streams));
  for (let stream = 0; positions.length < count; stream = (stream + 1) % streams) {
    const size = Math.min(perAppend, count - positions.length);
    const events = Array.from({ length: size }, () => ({ ...one, id: crypto.randomUUID() }));
    const from = store.all.length;
    store.append(`channel-${stream}`, 'any', events);
    for (const { position } of store.all.slice(from)) positions.push(position);
  }
  return positions;
};
