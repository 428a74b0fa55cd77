/** Who is told of an audit log's entries, live and on resume. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { EventData } from '../schemas/events/catalogue.ts';
import { memberStream } from '../schemas/streams.ts';
import type { Frame, GatewayClient } from '../test/support/gateway-client.ts';
import { defaultGatewayConfig } from './config.ts';
import { guildWith, hiddenChannel, type Station, World } from './testing.ts';

const GUILD = '10';
const HIDDEN = '20';
/** May read the log, and does not see the hidden channel. */
const AUDITOR = '2';
const ROLE = '40';
const VIEW_AUDIT_LOG = '128';
const FOR_EVER = 4_000_000_000_000;
const ENTRY = 'GUILD_AUDIT_LOG_ENTRY_CREATE';

describe('an audit log', () => {
  let world: World;
  let station: Station;

  beforeEach(async () => {
    world = await World.open();
    for (const id of ['1', AUDITOR, '4']) world.story.user(id);
    guildWith(world.story, GUILD, '1', AUDITOR, '4');
    hiddenChannel(world.story, HIDDEN, GUILD);
    world.story.role(GUILD, ROLE, VIEW_AUDIT_LOG);
    world.story.giveRoles(GUILD, AUDITOR, [ROLE]);
    world.story.post(HIDDEN, '4');
    station = await world.station();
  });
  afterEach(() => world.close());

  /** Names of dispatches after the initial set; of entries their action. */
  const told = (client: GatewayClient): readonly (string | number)[] =>
    client.frames
      .slice(client.frames.findIndex((frame) => frame.t === 'PARLEY_POSITION') + 1)
      .filter((frame) => frame.op === 0 && frame.t !== 'PARLEY_POSITION')
      .map(({ t, d }) => (t === ENTRY ? d.action_type : t));
  const entries = (frames: readonly Frame[]) => frames.filter(({ t }) => t === ENTRY).map(({ d }) => d.action_type);

  it('tells of what is done in channels that one does not see, and of nothing else there', async () => {
    const [owner, auditor, other] = [
      await station.identified('1'),
      await station.identified(AUDITOR),
      await station.identified('4'),
    ];
    const { story } = world;
    story.remove(HIDDEN, 1, '4', GUILD);
    const edited = story.editChannel(HIDDEN, GUILD, { name: 'veiled' });
    story.pin(HIDDEN, 1, '4', 1, GUILD);
    story.remove(HIDDEN, 1, '1', GUILD);
    await world.received(owner, auditor, other);
    expect(told(auditor)).toEqual([72, 11, 74]);
    expect(told(owner)).toEqual([
      'MESSAGE_DELETE',
      72,
      'CHANNEL_UPDATE',
      11,
      'MESSAGE_UPDATE',
      'CHANNEL_PINS_UPDATE',
      74,
      'MESSAGE_DELETE',
    ]);
    expect(told(other)).toEqual([]);
    const ofEdit = (client: GatewayClient) => client.frames.find(({ t, d }) => t === ENTRY && d.action_type === 11)!;
    expect(ofEdit(auditor)).toEqual(ofEdit(owner));
    expect(ofEdit(owner)).toMatchObject({ s: edited.position, d: { guild_id: GUILD, target_id: HIDDEN } });
  });

  it('needs the intent for moderation, and nothing else does', async () => {
    const [auditor, without] = [
      await station.identified(AUDITOR, { intents: 1 << 2 }),
      await station.identified(AUDITOR, { intents: 1 << 0 }),
    ];
    world.story.editGuild(GUILD, { name: 'other' });
    await world.received(auditor, without);
    expect(told(auditor)).toEqual([1]);
    expect(told(without)).toEqual(['GUILD_UPDATE']);
  });

  it('lets nobody hear a private thread of which it tells', async () => {
    const auditor = await station.identified(AUDITOR);
    const { story } = world;
    const { data } = story.thread('60', GUILD, HIDDEN, '1');
    story.archiveThread(data);
    story.archiveThread(data as EventData<'thread-created'>, false);
    story.post('60', '1');
    await world.received(auditor);
    expect(told(auditor)).toEqual([110, 111, 111]);
  });

  it('tells those who gain a channel, or lose one, of the overwrite', async () => {
    const auditor = await station.identified(AUDITOR);
    const { story } = world;
    story.overwrite(HIDDEN, GUILD, { id: AUDITOR, type: 1, allow: '1024', deny: '0' });
    story.deleteOverwrite(HIDDEN, GUILD, AUDITOR);
    await world.received(auditor);
    expect(told(auditor)).toEqual(['CHANNEL_CREATE', 13, 'CHANNEL_DELETE', 15]);
  });

  it('tells nobody beyond the loss of the right: by a role, by a timeout, by a kick', async () => {
    const auditor = await station.identified(AUDITOR);
    const { story } = world;
    // Rights are those of the views, which take events that come together at once.
    const act = async () => {
      story.ban(GUILD, '9');
      await world.settled();
    };
    story.timeOut(GUILD, AUDITOR, FOR_EVER);
    await act();
    story.timeOut(GUILD, AUDITOR, null);
    story.giveRoles(GUILD, AUDITOR, []);
    await act();
    story.giveRoles(GUILD, AUDITOR, [ROLE]);
    story.editRole(GUILD, ROLE, '0');
    await act();
    story.editRole(GUILD, ROLE, VIEW_AUDIT_LOG);
    const out = { guildId: GUILD, userId: AUDITOR, how: 'kicked' } as const;
    story.log.add(memberStream(GUILD, AUDITOR), 'member-left', out);
    await act();
    await world.received(auditor);
    expect(told(auditor).filter((one) => typeof one === 'number')).toEqual([24, 25, 31]);
  });

  describe('on a resume', () => {
    /** At the station, whose ring holds everything, and at two that read the log, one in small pages. */
    const resumed = async (userId: string, acts: () => unknown): Promise<readonly Frame[]> => {
      const client = await station.identified(userId);
      const session = client.session();
      await client.cut();
      acts();
      const { resumes } = defaultGatewayConfig;
      const stations = [station, await world.station(), await world.station({ resumes: { ...resumes, page: 2 } })];
      const all = await Promise.all(stations.map((at) => at.resumed(userId, session)));
      const [ring, ...log] = all.map(({ frames }) => frames.filter(({ op }) => op === 0));
      for (const frames of log) expect(frames).toEqual(ring);
      return ring!;
    };
    const acts = (): void => {
      const { story } = world;
      story.remove(HIDDEN, 1, '4', GUILD);
      story.editChannel(HIDDEN, GUILD, { name: 'veiled' });
      story.deleteChannel(HIDDEN, GUILD);
      story.thread('60', GUILD, HIDDEN, '1');
      story.invite('code', GUILD, HIDDEN, '1');
      story.ban(GUILD, '9');
    };

    it('tells all that was missed, once, and nothing else of what one does not see', async () => {
      const frames = await resumed(AUDITOR, acts);
      expect(entries(frames)).toEqual([72, 11, 12, 110, 40, 22]);
      expect(frames.map(({ t }) => t).filter((name) => name !== ENTRY)).toEqual(['GUILD_BAN_ADD', 'RESUMED']);
    });

    it('goes by the rights of now', async () => {
      const { story } = world;
      const lost = await resumed(AUDITOR, () => {
        acts();
        story.giveRoles(GUILD, AUDITOR, []);
      });
      expect(entries(lost)).toEqual([]);
      const gained = await resumed(AUDITOR, () => {
        story.ban(GUILD, '8');
        story.giveRoles(GUILD, AUDITOR, [ROLE]);
      });
      expect(entries(gained)).toEqual([22, 25]);
      const timedOut = await resumed(AUDITOR, () => story.timeOut(GUILD, AUDITOR, FOR_EVER));
      expect(entries(timedOut)).toEqual([]);
    });
  });
});
