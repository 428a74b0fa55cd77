import { describe, expect, it } from 'vitest';
import { canonicalEmoji, isEmoji } from './emoji.ts';

describe('an emoji', () => {
  it('is any Unicode emoji, of one or more code points', () => {
    for (const emoji of ['👍', '👍🏽', '👩‍👩‍👧‍👦', '🇩🇪', '1️⃣', '🏳️‍🌈']) expect(isEmoji(emoji)).toBe(true);
  });

  it('may lack its variation selector, as libraries send it, or have one too many', () => {
    for (const emoji of ['❤️', '❤', '☺', '1⃣', '🏳‍🌈', '❤‍🔥', '👁‍🗨', '🕵🏽‍♂', '👍\uFE0F', '👍🏽'])
      expect(isEmoji(emoji)).toBe(true);
  });

  it('has one form, with its variation selectors', () => {
    for (const emoji of ['❤️', '1️⃣', '🏳️‍🌈', '❤️‍🔥', '👁️‍🗨️', '🕵🏽‍♂️', '🕵️‍♂️', '☝🏽', '👍', '👍🏽', '🇩🇪', '🏴‍☠️', '🏴󠁧󠁢󠁷󠁬󠁳󠁿']) {
      expect(canonicalEmoji(emoji)).toBe(emoji);
      expect(canonicalEmoji(emoji.replaceAll('\uFE0F', ''))).toBe(emoji);
      expect(canonicalEmoji(`${emoji}\uFE0F`)).toBe(emoji);
    }
    expect(canonicalEmoji('☝\uFE0F🏽')).toBe('☝🏽');
    expect(canonicalEmoji('party:123')).toBe('party:123');
  });

  it('is nothing else', () => {
    for (const text of ['', 'a', '1', 'thumbsup', 'party:123', '👍👍', ' 👍', '👍 ', '\uFE0F'])
      expect(isEmoji(text)).toBe(false);
  });
});
