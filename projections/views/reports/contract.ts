/** What every store of reports must do. */

import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { ParleyEvent } from '../../../schemas/events/catalogue.ts';
import { reportStream } from '../../../schemas/streams.ts';
import { Story } from '../../testing.ts';
import type { ReportReader, ReportsOf, ReportsQuery } from './view.ts';

export interface OpenReports {
  readonly reader: ReportReader;
  apply(events: readonly ParleyEvent[]): Promise<void>;
  close(): Promise<void>;
}

const GUILD = '20';
const ANN = '10';
const BEN = '11';
const OWNER = '12';

export const reportContract = (name: string, open: () => Promise<OpenReports>) =>
  describe(`reports on ${name}`, () => {
    let reports: OpenReports;
    let story: Story;
    let applied: number;

    beforeEach(async () => {
      reports = await open();
      story = new Story();
      applied = 0;
    });
    afterEach(() => reports.close());

    const project = async () => {
      await reports.apply(story.since(applied));
      applied = await story.log.head();
    };
    const about = (reportId: string, more: object = {}) => ({
      ...{ reportId, guildId: GUILD, channelId: '30', messageId: `4${reportId}`, author: ANN, reporter: BEN },
      ...{ administrators: [], kind: 'spam' as const, ...more },
    });
    const file = (reportId: string, more: object = {}) => {
      const data = about(reportId, more);
      const stream = reportStream(data.channelId, data.messageId, data.reporter);
      return story.log.add(stream, 'report-filed', { ...data, sealed: { by: data.reporter, box: 'text' } });
    };
    const handle = (reportId: string, outcome: 'answered' | 'closed', more: object = {}) => {
      const data = about(reportId, more);
      const stream = reportStream(data.channelId, data.messageId, data.reporter);
      const answer = { outcome, by: OWNER, sealed: { by: OWNER, box: `note of ${outcome}` } };
      return story.log.add(stream, 'report-handled', { ...data, ...answer });
    };
    const page = async (of: ReportsOf, query: Partial<ReportsQuery> = {}) => {
      const { rows, next } = await reports.reader.reports(of, { limit: 10, look: 100, ...query });
      return { ids: rows.map(({ id }) => id), next };
    };
    const listed = async (of: ReportsOf, query: Partial<ReportsQuery> = {}) => (await page(of, query)).ids;

    it('lists those of a guild, of the administrators and of a person, the newest first, page by page', async () => {
      for (const id of ['1', '2', '3']) file(id);
      file('4', { guildId: null, administrators: [OWNER] });
      file('5', { guildId: '21', administrators: [OWNER], reporter: '13' });
      await project();
      expect(await listed({ guildId: GUILD })).toEqual(['3', '2', '1']);
      expect(await listed({ guildId: GUILD }, { limit: 1, before: '3' })).toEqual(['2']);
      expect(await listed({ administrators: true })).toEqual(['5', '4']);
      expect(await listed({ reporter: BEN })).toEqual(['4', '3', '2', '1']);
      expect(await listed({ guildId: GUILD }, { limit: 2, after: '1' })).toEqual(['2', '3']);
      expect(await listed({ administrators: true }, { after: '4' })).toEqual(['5']);
      expect(await listed({ reporter: BEN }, { limit: 3, after: '0' })).toEqual(['1', '2', '3']);
      expect(await listed({ guildId: GUILD }, { before: '3', after: '1' })).toEqual(['2', '1']);
      for (const after of ['3', '9999999999999999999']) expect(await listed({ guildId: GUILD }, { after })).toEqual([]);
      expect(await listed({ guildId: GUILD }, { before: '9999999999999999999' })).toEqual(['3', '2', '1']);
      expect(await listed({ guildId: GUILD }, { before: '002' })).toEqual(['1']);
      expect(await listed({ guildId: '404' })).toEqual([]);
    });

    it('lists those of some channels alone, and without those about somebody', async () => {
      for (const [id, channelId] of Object.entries({ 1: '30', 2: '31', 3: '32', 4: '31' })) file(id, { channelId });
      file('5', { author: OWNER });
      await project();
      const without = (author: string, ...channelIds: readonly string[]) =>
        listed({ guildId: GUILD }, { limit: 3, except: { author, channelIds } });
      expect(await without('99')).toEqual(['5', '4', '3']);
      expect(await without(OWNER)).toEqual(['4', '3', '2']);
      expect(await without('99', '31')).toEqual(['5', '3', '1']);
      expect(await without(OWNER, '32', '31', '9223372036854775807')).toEqual(['1']);
      const except = { author: ANN, channelIds: [] };
      expect(await listed({ reporter: BEN }, { except })).toEqual(['5']);
    });

    it('looks through some reports at most, and says where to go on', async () => {
      for (const [id, channelId] of Object.entries({ 1: '30', 2: '31', 3: '31', 4: '31', 5: '30', 6: '31' }))
        file(id, { channelId });
      for (const id of ['5', '6']) handle(id, 'closed');
      await project();
      const except = { author: '99', channelIds: ['31'] };
      const of = { guildId: GUILD };
      expect(await page(of, { look: 3, except })).toEqual({ ids: ['5'], next: '4' });
      expect(await page(of, { look: 3, except, before: '4' })).toEqual({ ids: ['1'], next: '1' });
      expect(await page(of, { look: 3, except, before: '1' })).toEqual({ ids: [], next: undefined });
      expect(await page(of, { look: 2, except, after: '1' })).toEqual({ ids: [], next: '3' });
      expect(await page(of, { look: 9, except })).toEqual({ ids: ['5', '1'], next: undefined });
      expect(await page(of, { look: 9, except, limit: 1 })).toEqual({ ids: ['5'], next: '5' });
      expect(await page(of, { look: 2, state: 'open' })).toEqual({ ids: [], next: '5' });
      expect(await page(of, { look: 2, state: 'closed', limit: 2 })).toEqual({ ids: ['6', '5'], next: '5' });
      expect(await page({ reporter: BEN }, { look: 1, state: 'open' })).toEqual({ ids: [], next: '6' });
      expect(await page({ administrators: true }, { look: 1 })).toEqual({ ids: [], next: undefined });
    });

    it('knows each with the last thing that came of it, and lists them by that', async () => {
      const { id: sealedIn, time } = file('1');
      file('2');
      await project();
      const open = {
        ...{
          id: '1',
          guildId: GUILD,
          channelId: '30',
          messageId: '41',
          author: ANN,
          reporter: BEN,
          kind: 'spam',
          time,
        },
        ...{ forAdministrators: false, text: { sealed: { by: BEN, box: 'text' }, sealedIn }, answer: null },
      };
      expect(await reports.reader.report('1')).toEqual(open);
      expect(await reports.reader.reportBy(BEN, '30', '41')).toEqual(open);
      for (const outcome of ['answered', 'closed'] as const) {
        const event = handle('1', outcome);
        await project();
        const note = { sealed: { by: OWNER, box: `note of ${outcome}` }, sealedIn: event.id };
        const answer = { outcome, by: OWNER, time: event.time, note };
        expect(await reports.reader.report('1')).toEqual({ ...open, answer });
        expect(await listed({ guildId: GUILD }, { state: outcome })).toEqual(['1']);
        expect(await listed({ guildId: GUILD }, { state: 'open' })).toEqual(['2']);
      }
      expect(await listed({ guildId: GUILD }, { state: 'answered' })).toEqual([]);
      expect(await reports.reader.report('404')).toBeUndefined();
      expect(await reports.reader.reportBy(ANN, '30', '41')).toBeUndefined();
    });

    it('takes in one batch what happens to a report', async () => {
      file('1');
      handle('1', 'answered');
      handle('1', 'closed');
      await project();
      expect(await listed({ reporter: BEN }, { state: 'closed' })).toEqual(['1']);
    });
  });
