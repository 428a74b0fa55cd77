/** Unicode emoji, with or without the variation selector that libraries drop. */

// The compiler's target does not know `v`, every supported Node does; hence no literal.
const flags: string = 'v';
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', flags);

export const isEmoji = (value: string): boolean =>
  EMOJI.test(value) || EMOJI.test(`${value}\uFE0F`) || EMOJI.test(value.replaceAll('\uFE0F', ''));
