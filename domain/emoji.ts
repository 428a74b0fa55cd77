/** Unicode emoji, with or without the variation selector that libraries drop. */

// `v` is newer than the compiler's target; every supported Node has it.
const EMOJI = /^\p{RGI_Emoji}$/v;

export const isEmoji = (value: string): boolean =>
  EMOJI.test(value) || EMOJI.test(`${value}\uFE0F`) || EMOJI.test(value.replaceAll('\uFE0F', ''));
