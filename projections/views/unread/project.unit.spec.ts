import { describe, expect, it } from 'vitest';
import { Story } from '../../testing.ts';
import { unreadChanges } from './view.ts';

describe('unread changes', () => {
  it('are one head per channel and one marker per author in a batch, however long it is', () => {
    const story = new Story();
    for (let n = 0; n < 100; n += 1) {
      story.post('30', '10');
      story.post('30', '11');
      story.post('31', '10');
    }
    const changes = unreadChanges(story.since(0));
    expect(changes.filter(({ kind }) => kind === 'head')).toHaveLength(2);
    expect(changes.filter(({ kind }) => kind === 'read')).toHaveLength(3);
    expect(changes).toHaveLength(5);
  });

  it('contain no mentions for a message without any', () => {
    const story = new Story();
    story.post('30', '10');
    expect(unreadChanges(story.since(0)).map(({ kind }) => kind)).toEqual(['head', 'read']);
  });

  it('of a message are as many as the users it mentions', () => {
    const story = new Story();
    story.post('30', '10', { mentions: { users: ['1', '2', '2'], everyone: true } });
    expect(unreadChanges(story.since(0))[0]).toMatchObject({ kind: 'mentions', targets: ['everyone', '1', '2'] });
  });
});
