import { describe, expect, it } from 'vitest';
import { Replies } from './replies.ts';

const MINUTE = 60_000;
const line = (nick: string, text: string, minute = 0) =>
  ({ kind: 'message', nick, text, time: minute * MINUTE }) as const;

describe('a guessed reply', () => {
  const replies = new Replies<string>();
  replies.said(line('Will', 'older'), 'older');
  replies.said(line('Will', 'newer', 1), 'newer');
  replies.said(line('ann', 'x', 1), 'of ann');

  it.each([
    ['answers the latest message of who is named', line('ann', 'will: thanks', 2), 'newer'],
    ['may have a comma', line('ann', 'WILL, thanks', 2), 'newer'],
    ['has a nickname in front', line('ann', 'thanks will: yes', 2), undefined],
    ['has text after it', line('ann', 'will:', 2), undefined],
    ['is of somebody who has spoken', line('ann', 'bob: thanks', 2), undefined],
    ['is no word to oneself', line('ann', 'ann: thanks', 2), undefined],
    ['comes within half an hour', line('ann', 'will: thanks', 32), undefined],
    ['is said, not done', { ...line('ann', 'will: thanks', 2), kind: 'action' } as const, undefined],
  ])('%s', (_, one, answered) => expect(replies.answeredBy(one)).toBe(answered));
});
