/** What every store of audit logs must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { AuditAction } from '../../../domain/audit-log.ts';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { Story } from '../../testing.ts';
import type { AuditQuery, AuditReader } from './view.ts';

export interface OpenAuditLog {
  readonly reader: AuditReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const GUILD = '20';
const CHANNEL = '30';
const OVERWRITE = { id: '11', type: 1, allow: '1024', deny: '0' } as const;

export const auditLogContract = (name: string, open: () => Promise<OpenAuditLog>) =>
  describe(`the audit log on ${name}`, () => {
    let audit: OpenAuditLog;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      audit = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => audit.close());

    const project = async () => {
      await audit.apply(story.since(applied));
      applied = await story.log.head();
    };
    const entries = (query: Partial<AuditQuery> = {}) => audit.reader.entries(GUILD, { limit: 50, ...query });
    const targets = async (query: Partial<AuditQuery> = {}) =>
      (await entries(query)).map(({ about: { targetId } }) => targetId);

    it('lists entries the newest first, page by page, from either end', async () => {
      for (const userId of ['11', '12', '13', '14']) story.ban(GUILD, userId);
      story.ban('21', '15');
      await project();
      expect(await targets()).toEqual(['14', '13', '12', '11']);
      expect(await targets({ limit: 2 })).toEqual(['14', '13']);
      const ids = (await entries()).map(({ id }) => id);
      expect(await targets({ before: ids[1]!, limit: 1 })).toEqual(['12']);
      expect(await targets({ after: ids[3]!, limit: 2 })).toEqual(['12', '13']);
      expect(await targets({ after: '0', limit: 1 })).toEqual(['11']);
      expect(await targets({ before: ids[3]! })).toEqual([]);
      expect(await targets({ after: ids[0]! })).toEqual([]);
    });

    it('lists those of one person, and those of one kind', async () => {
      story.ban(GUILD, '11');
      story.log.add(
        `member-${GUILD}_12`,
        'member-banned',
        { guildId: GUILD, userId: '12', deleteMessageSeconds: 0 },
        '9',
      );
      story.unban(GUILD, '11');
      await project();
      expect(await targets({ actorId: '9' })).toEqual(['12']);
      expect(await targets({ action: AuditAction.memberBanRemove })).toEqual(['11']);
      expect(await targets({ actorId: '9', action: AuditAction.memberBanRemove })).toEqual([]);
      expect(await targets({ actorId: '9', action: AuditAction.memberBanAdd, before: '9223372036854775807' })).toEqual([
        '12',
      ]);
    });

    it('keeps what things were, within one batch and over several', async () => {
      story.guild(GUILD, '1');
      story.editGuild(GUILD, { name: 'second' });
      story.editGuild(GUILD, { name: 'third' });
      await project();
      story.editGuild(GUILD, { name: 'fourth' });
      await project();
      const names = (await entries({ after: '0' })).map(({ former, value }) => [former, value]);
      expect(names).toMatchObject([
        [{ name: `guild ${GUILD}` }, { name: 'second' }],
        [{ name: 'second' }, { name: 'third' }],
        [{ name: 'third' }, { name: 'fourth' }],
      ]);
    });

    it('tells an overwrite that is new from one that changes', async () => {
      story.channel(CHANNEL, GUILD);
      story.overwrite(CHANNEL, GUILD, OVERWRITE);
      story.overwrite(CHANNEL, GUILD, { ...OVERWRITE, deny: '2048' });
      story.deleteOverwrite(CHANNEL, GUILD, '11');
      await project();
      story.overwrite(CHANNEL, GUILD, OVERWRITE);
      story.overwrite(CHANNEL, GUILD, { id: GUILD, type: 0, allow: '0', deny: '0' });
      await project();
      expect((await entries({ after: '0' })).map(({ action }) => action)).toEqual([13, 14, 15, 13, 14]);
      expect(await targets({ action: 13 })).toEqual([CHANNEL, CHANNEL]);
    });

    it('begins a membership without the nickname and the roles of the one before', async () => {
      const nick = { by: '11', box: 'Ym94' };
      story.giveRoles(GUILD, '11', ['5']);
      story.rename(GUILD, '11', nick);
      story.leave(GUILD, '11');
      await project();
      story.giveRoles(GUILD, '11', ['6']);
      const { id: sealedIn } = story.rename(GUILD, '11', nick);
      await project();
      const [renamed, given] = await entries();
      expect(renamed).toMatchObject({ former: null, value: { sealed: nick, sealedIn } });
      expect(given).toMatchObject({ former: [], value: ['6'] });
    });

    it('knows what a thing last was before a position, also one that is no more', async () => {
      story.role(GUILD, '40');
      const { position } = story.deleteRole(GUILD, '40');
      await project();
      const known = async (before: number) =>
        (await audit.reader.known(GUILD, ['role:40', 'role:41'], before)).get('role:40');
      expect(await known(position)).toMatchObject({ former: null, value: { id: '40' } });
      expect(await known(position + 1)).toMatchObject({ former: { id: '40' }, value: null });
      expect(await known(position - 1)).toBeUndefined();
      expect(await audit.reader.known(GUILD, [], position)).toEqual(new Map());
    });

    it('holds reasons as they are sealed', async () => {
      const sealed = { by: '1', box: 'Ym94' };
      const { id: eventId, stream } = story.ban(GUILD, '11', sealed);
      await project();
      expect(await entries()).toMatchObject([{ about: { targetId: '11', reason: { sealed, eventId, stream } } }]);
    });
  });
