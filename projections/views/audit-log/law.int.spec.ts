import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { auditedIn, type ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { memoryDatabase } from '../../../stores/testing.ts';
import { Story } from '../../testing.ts';
import { CurrentAuditLog } from './current.ts';
import { auditTables, SqliteAuditLog } from './sql.ts';
import { type AuditReader, type AuditRow, auditRecords, auditRows } from './view.ts';

const GUILDS = ['20', '21'];
const EVERYTHING = { limit: 1000, after: '0' };

/** What people do, each in one guild. */
const ACTS: readonly ((story: Story, guild: string, n: number) => unknown)[] = [
  (story, guild, n) => story.editGuild(guild, { name: `name ${n}` }),
  (story, guild, n) => story.transferGuild(guild, `${n}`),
  (story, guild, n) => story.role(guild, `40${n}`),
  (story, guild, n) => story.editRole(guild, `40${n}`, `${n}`),
  (story, guild, n) => story.deleteRole(guild, `40${n}`),
  (story, guild, n) => story.channel(`30${n}`, guild),
  (story, guild, n) => story.editChannel(`30${n}`, guild, { topic: `${n}` }),
  (story, guild, n) => story.overwrite(`30${n}`, guild, { id: '11', type: 1, allow: `${n}`, deny: '0' }),
  (story, guild, n) => story.deleteOverwrite(`30${n}`, guild, '11'),
  (story, guild, n) => story.deleteChannel(`30${n}`, guild),
  (story, guild, n) => story.join(guild, `1${n}`),
  (story, guild, n) => story.giveRoles(guild, `1${n}`, [`40${n}`]),
  (story, guild, n) => story.timeOut(guild, `1${n}`, n),
  (story, guild, n) => story.leave(guild, `1${n}`),
  (story, guild, n) => story.ban(guild, `1${n}`),
  (story, guild, n) => story.unban(guild, `1${n}`),
  (story, guild, n) => story.invite(`code-${guild}-${n}`, guild, `30${n}`, '1'),
  (story, guild, n) => story.deleteInvite(`code-${guild}-${n}`, guild, `30${n}`),
  (story, guild, n) => story.remove(`30${n}`, 1, '11', guild),
  (story, guild, n) => story.remove(`30${n}`, 1, '1', guild),
  (story, guild, n) => story.pin(`30${n}`, 1, '11', n, guild),
];

const history = fc
  .array(fc.tuple(fc.nat(ACTS.length - 1), fc.constantFrom(...GUILDS), fc.integer({ min: 1, max: 3 })), {
    maxLength: 40,
  })
  .map((acts) => {
    const story = new Story();
    for (const guild of GUILDS) story.guild(guild, '1');
    for (const [act, guild, n] of acts) ACTS[act]!(story, guild, guild === '20' ? n : n + 3);
    return story.log.all as readonly ParleyEvent[];
  });

const view = () => new SqliteAuditLog(memoryDatabase(auditTables));
const all = async (reader: AuditReader): Promise<readonly AuditRow[]> =>
  (await Promise.all(GUILDS.map((guild) => reader.entries(guild, EVERYTHING)))).flat();

describe('the audit log', () => {
  it('names every act exactly once, by ids that grow', () =>
    fc.assert(
      fc.asyncProperty(history, async (events) => {
        const log = view();
        log.apply(events.flatMap(auditRecords));
        for (const guild of GUILDS) {
          const rows = await log.entries(guild, EVERYTHING);
          const acts = events.filter((event) => auditedIn(event) === guild);
          expect(rows.map(({ position }) => position)).toEqual(acts.map(({ position }) => position));
          const ids = rows.map(({ id }) => BigInt(id));
          for (const [n, id] of ids.entries()) if (n > 0) expect(id > ids[n - 1]!).toBe(true);
        }
      }),
      { numRuns: 30 },
    ));

  it('comes out the same however its streams are interleaved', () =>
    fc.assert(
      fc.asyncProperty(history, fc.array(fc.nat(), { minLength: 40, maxLength: 40 }), async (events, order) => {
        const rebuilt = view();
        rebuilt.apply(events.flatMap(auditRecords));
        const other = view();
        const streams = [...new Set(events.map(({ stream }) => stream))];
        const keyOf = (stream: string) => order[streams.indexOf(stream) % order.length]!;
        other.apply(events.toSorted((a, b) => keyOf(a.stream) - keyOf(b.stream)).flatMap(auditRecords));
        expect(await all(other)).toEqual(await all(rebuilt));
      }),
      { numRuns: 20 },
    ));

  it('is the same from what a node has received while the store lags, and in what it tells of each event', () =>
    fc.assert(
      fc.asyncProperty(history, fc.nat(), async (events, cut) => {
        const [whole, stored] = [view(), view()];
        whole.apply(events.flatMap(auditRecords));
        const held = cut % (events.length + 1);
        stored.apply(events.slice(0, held).flatMap(auditRecords));
        const received = events.slice(held).flatMap(auditRecords);
        const current = new CurrentAuditLog({
          stored,
          received: (guildId) => received.filter((record) => record.guildId === guildId),
        });
        expect(await all(current)).toEqual(await all(whole));
        for (const query of [{ limit: 3 }, { limit: 5, action: 13 }, { limit: 2, actorId: '1', after: '0' }])
          expect(await current.entries('20', query)).toEqual(await whole.entries('20', query));
        const told = await Promise.all(events.map((event) => auditRows(current, event)));
        expect(told.flat().toSorted((a, b) => a.position - b.position)).toEqual(
          (await all(whole)).toSorted((a, b) => a.position - b.position),
        );
      }),
      { numRuns: 20 },
    ));
});
