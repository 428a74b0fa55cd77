/** Intents: which kinds of dispatches a session asked for. Bit numbers are Discord's. */

export const Intent = {
  none: 0,
  guilds: 1 << 0,
  guildMembers: 1 << 1,
  guildInvites: 1 << 6,
  guildPresences: 1 << 8,
  guildMessages: 1 << 9,
  guildReactions: 1 << 10,
  guildTyping: 1 << 11,
  directMessages: 1 << 12,
  directReactions: 1 << 13,
  directTyping: 1 << 14,
  messageContent: 1 << 15,
} as const;

/** Every bit Discord has defined: 0 to 16, automatic moderation (20, 21) and polls (24, 25). */
const DEFINED = 0x1ffff | (0b11 << 20) | (0b11 << 24);

/** What a person's client gets that does not say: everything but the lists of members and their presences. */
export const DEFAULT_INTENTS = DEFINED & ~(Intent.guildMembers | Intent.guildPresences);

export const validIntents = (intents: number): boolean =>
  Number.isInteger(intents) && intents >= 0 && intents < 2 ** 31 && (intents & ~DEFINED) === 0;
