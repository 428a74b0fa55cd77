/** Unicode emoji, with or without the variation selector that libraries drop. */

// No regular expression literal: the compiler's target lacks the `v` flag, though every supported Node has it.
const flags: string = 'v';
const EMOJI = new RegExp('^\\p{RGI_Emoji}$', flags);

/** Emoji shown as text unless a selector or a skin tone follows. */
const TEXT_BY_DEFAULT = /(?!\p{Emoji_Presentation})\p{Emoji}(?!\p{Emoji_Modifier})/gu;

const qualified = (value: string): string => value.replaceAll('\uFE0F', '').replace(TEXT_BY_DEFAULT, '$&\uFE0F');

export const isEmoji = (value: string): boolean => EMOJI.test(value) || EMOJI.test(qualified(value));
