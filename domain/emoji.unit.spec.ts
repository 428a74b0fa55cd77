import { describe, expect, it } from 'vitest';
import { isEmoji } from './emoji.ts';

describe('an emoji', () => {
  it('is any Unicode emoji, of one or more code points', () => {
    for (const emoji of ['👍', '👍🏽', '👩‍👩‍👧‍👦', '🇩🇪', '1️⃣', '🏳️‍🌈']) expect(isEmoji(emoji)).toBe(true);
  });

  it('may lack its variation selector, as libraries send it, or have one too many', () => {
    for (const emoji of ['❤️', '❤', '☺', '1⃣', '🏳‍🌈', '❤‍🔥', '👁‍🗨', '🕵🏽‍♂', '👍\uFE0F', '👍🏽'])
      expect(isEmoji(emoji)).toBe(true);
  });

  it('is nothing else', () => {
    for (const text of ['', 'a', '1', 'thumbsup', 'party:123', '👍👍', ' 👍', '👍 ', '\uFE0F'])
      expect(isEmoji(text)).toBe(false);
  });
});
