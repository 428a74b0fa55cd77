/**
 * Fields without which the strictest of the libraries throws, in every object of the recorded conversation. `?` marks those
 * that may be null. The recording is made from a running server (`recording.e2e.spec.ts`).
 */

import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';

const FIELDS = {
  User: 'id username discriminator avatar?',
  Self: 'id username discriminator avatar? email? verified mfa_enabled flags',
  GuildMember: 'roles joined_at deaf mute flags',
  Role: 'id name color hoist position permissions managed mentionable flags',
  Emoji: 'id? name?',
  PermissionOverwrite: 'id type allow deny',
  Channel: 'id type',
  Guild:
    'id name icon? splash? discovery_splash? owner_id afk_channel_id? afk_timeout verification_level default_message_notifications explicit_content_filter roles emojis features mfa_level application_id? system_channel_id? system_channel_flags rules_channel_id? vanity_url_code? description? banner? premium_tier preferred_locale public_updates_channel_id? nsfw_level premium_progress_bar_enabled safety_alerts_channel_id? incidents_data? max_members max_presences?',
  OwnGuild: 'id name icon? banner? owner permissions features',
  InviteGuild: 'id name icon? splash? banner? description? features verification_level vanity_url_code? nsfw_level',
  Message:
    'id channel_id author content timestamp edited_timestamp? tts mention_everyone mentions mention_roles attachments embeds pinned type components sticker_items',
  Invite: 'code channel? guild uses max_uses max_age temporary created_at',
  InviteCreate: 'channel_id code created_at max_age max_uses temporary uses',
  Application:
    'id name icon? description bot_public bot_require_code_grant verify_key team? integration_types_config event_webhooks_status approximate_guild_count',
  Ready: 'v user guilds session_id resume_gateway_url application',
  TypingStart: 'channel_id user_id timestamp',
  GuildMemberAdd: 'guild_id roles joined_at deaf mute flags',
  GuildMemberRemove: 'guild_id user',
  Embed: 'type',
} as const;
type Shape = keyof typeof FIELDS;

/** What is inside an object, by field: one object or a list of them. */
const INSIDE: Partial<Record<Shape, Readonly<Record<string, Shape>>>> = {
  Ready: { user: 'Self', private_channels: 'Channel' },
  Guild: { roles: 'Role', channels: 'Channel', members: 'GuildMember' },
  Channel: { recipients: 'User', permission_overwrites: 'PermissionOverwrite' },
  GuildMember: { user: 'User' },
  GuildMemberAdd: { user: 'User' },
  GuildMemberRemove: { user: 'User' },
  TypingStart: { member: 'GuildMember' },
  Message: { author: 'User', mentions: 'User', member: 'GuildMember', referenced_message: 'Message', embeds: 'Embed' },
  Invite: { guild: 'InviteGuild', channel: 'Channel', inviter: 'User' },
  InviteCreate: { inviter: 'User' },
  Application: { bot: 'User', owner: 'User' },
};

const ANSWERS: readonly (readonly [request: RegExp, shape: Shape])[] = [
  [/^GET .+\/users\/@me$/, 'Self'],
  [/^GET .+\/users\/<id \d+>$/, 'User'],
  [/^GET .+\/users\/@me\/guilds$/, 'OwnGuild'],
  [/^(POST|GET) \/v1\/guilds(\/<id \d+>)?$/, 'Guild'],
  [/^GET .+\/roles$/, 'Role'],
  [/^GET .+\/members(\/<id \d+>|\?.+)?$/, 'GuildMember'],
  [/^(POST|GET) .+\/channels(\/<id \d+>)?$/, 'Channel'],
  [/^(GET|POST|PATCH) .+\/messages(\/<id \d+>|\?.+)?$/, 'Message'],
  [/^GET .+\/reactions\/[^/]+$/, 'User'],
  [/^(GET|POST) .+\/invites(\/<code \w+>)?$/, 'Invite'],
  [/^GET .+\/applications\/(@me|<id \d+>)$/, 'Application'],
];

const DISPATCHES: Readonly<Record<string, Shape>> = {
  READY: 'Ready',
  GUILD_CREATE: 'Guild',
  CHANNEL_CREATE: 'Channel',
  GUILD_MEMBER_ADD: 'GuildMemberAdd',
  GUILD_MEMBER_REMOVE: 'GuildMemberRemove',
  INVITE_CREATE: 'InviteCreate',
  MESSAGE_CREATE: 'Message',
  MESSAGE_UPDATE: 'Message',
  TYPING_START: 'TypingStart',
};

type Found = Record<string, unknown>;
const isObject = (value: unknown): value is Found => typeof value === 'object' && value !== null;

/** What an object and those inside it lack. */
const missing = (shape: Shape, value: Found, where: string): string[] => {
  const lacks = FIELDS[shape].split(' ').flatMap((field) => {
    const name = field.replace('?', '');
    const fits = name in value && (field.endsWith('?') || value[name] !== null);
    return fits ? [] : [`${where}: ${shape}.${name}`];
  });
  const inside = Object.entries(INSIDE[shape] ?? {}).flatMap(([field, inner]) =>
    [value[field]]
      .flat()
      .filter(isObject)
      .flatMap((one) => missing(inner, one, where)),
  );
  return [...lacks, ...inside];
};

interface Entry {
  readonly request?: string;
  readonly status?: number;
  readonly answer?: unknown;
  readonly received?: readonly { readonly t: string | null; readonly d: unknown }[];
}

describe('every object that is sent', () => {
  const recording = new URL('recordings/conversation.json', import.meta.url);
  const entries = JSON.parse(readFileSync(recording, 'utf8')) as readonly Entry[];
  const met = new Map<Shape, number>();
  const meet = (shape: Shape, values: unknown, where: string): string[] => {
    const objects = [values].flat().filter(isObject);
    met.set(shape, (met.get(shape) ?? 0) + objects.length);
    return objects.flatMap((one) => missing(shape, one, where));
  };

  it.each(ANSWERS)('in the answer to %s has its fields, as %s', (request, shape) => {
    const answers = entries.filter((one) => request.test(one.request ?? '') && (one.status ?? 500) < 300);
    expect(answers.flatMap((one) => meet(shape, one.answer, one.request!))).toEqual([]);
    expect(met.get(shape)).toBeGreaterThan(0);
  });

  it.each(Object.entries(DISPATCHES))('in %s has its fields, as %s', (name, shape) => {
    const dispatches = entries.flatMap((one) => one.received ?? []).filter(({ t }) => t === name);
    expect(dispatches.length).toBeGreaterThan(0);
    expect(dispatches.flatMap(({ d }) => meet(shape, d, name))).toEqual([]);
  });
});
