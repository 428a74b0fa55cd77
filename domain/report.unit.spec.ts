import { describe, expect, it } from 'vitest';
import { fileReport, handleReport, reportFold } from './report.ts';
import { ANN, BEN, CHANNEL, events, GUILD, History, OWNER, only, refusal } from './testing.ts';

const report = {
  ...{ reportId: '9', guildId: GUILD, channelId: CHANNEL, messageId: '8', author: ANN, reporter: BEN },
  ...{ administrators: [], kind: 'spam' as const },
};
/** @param formerNote what the last answer said */
const handle = (outcome: 'answered' | 'closed', key: string, note?: string, formerNote?: string) => ({
  ...{ by: OWNER, outcome, note, key },
  formerNote,
});

const filed = () => {
  const history = new History(reportFold, 'report-1');
  return history.given((state) => fileReport({ report, text: 'rude' }, state), 'filed');
};

describe('a report', () => {
  it('is filed once, with its text under the key of its reporter', () => {
    const first = only(fileReport({ report, text: 'rude' }, reportFold.initial()));
    expect(first).toEqual({ type: 'report-filed', data: report, secret: { by: BEN, text: '"rude"' } });
    expect(events(fileReport({ report: { ...report, kind: 'hate' as never }, text: '' }, filed().state))).toEqual([]);
  });

  it('is of a message that is there, and of somebody else', () => {
    const none = reportFold.initial();
    expect(refusal(fileReport({ report: undefined, text: '' }, none))).toBe('unknownMessage');
    expect(refusal(fileReport({ report: { ...report, author: BEN }, text: '' }, none))).toBe('ownMessage');
  });

  it('is answered as often as there is something to say, until it is closed', () => {
    const history = filed();
    for (const key of ['a', 'b']) history.given((state) => handleReport(handle('answered', key, key), state), key);
    expect(events(handleReport(handle('answered', 'b'), history.state))).toEqual([]);
    history.given((state) => handleReport(handle('closed', 'c', 'done'), state), 'c');
    expect(events(handleReport(handle('closed', 'd'), history.state))).toEqual([]);
    expect(refusal(handleReport(handle('closed', 'd', 'more'), history.state))).toBe('reportClosed');
    expect(refusal(handleReport(handle('answered', 'd'), history.state))).toBe('reportClosed');
    expect(refusal(handleReport(handle('answered', 'd'), reportFold.initial()))).toBe('unknownReport');
  });

  it('is not answered by the same person with the same once more', () => {
    const history = filed();
    history.given((state) => handleReport(handle('answered', 'a', 'seen'), state), 'a');
    const again = handle('answered', 'b', 'seen', 'seen');
    expect(events(handleReport(again, history.state))).toEqual([]);
    for (const other of [{ by: ANN }, { note: 'more' }, { outcome: 'closed' as const }])
      expect(events(handleReport({ ...again, ...other }, history.state))).toHaveLength(1);
    history.given((state) => handleReport(handle('closed', 'c', 'done', 'seen'), state), 'c');
    expect(events(handleReport(handle('closed', 'd', 'done', 'done'), history.state))).toEqual([]);
  });

  it('keeps its last note, under the key of whoever wrote it, until there is another', () => {
    const history = filed();
    history.given((state) => handleReport(handle('answered', 'a', 'seen'), state), 'a');
    const state = { ...history.state, answer: { by: OWNER, sealed: { by: OWNER, box: '' }, sealedIn: 'a' } };
    const closing = { ...handle('closed', 'b', undefined, 'seen'), by: ANN };
    expect(events(handleReport({ ...closing, by: OWNER, outcome: 'answered' }, state))).toEqual([]);
    expect(only(handleReport(closing, state)).secret).toEqual({ by: OWNER, text: '"seen"' });
    expect(only(handleReport({ ...closing, note: '' }, state)).secret).toEqual({ by: ANN, text: '""' });
    const forgotten = { ...closing, formerNote: undefined };
    expect(only(handleReport(forgotten, state)).secret).toEqual({ by: ANN, text: '""' });
  });
});
