/** Unicode emoji, with or without the variation selector that libraries drop. */

// The compiler's target does not know `v`, every supported Node does; hence no literal.
const flags: string = 'v';
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', flags);

/** What is shown as text unless a selector follows, and has no skin tone, which says as much. */
const TEXT_BY_DEFAULT = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;

const qualified = (value: string): string => value.replaceAll('\uFE0F', '').replace(TEXT_BY_DEFAULT, '$&\uFE0F');

export const isEmoji = (value: string): boolean => EMOJI.test(value) || EMOJI.test(qualified(value));
