import { describe, expect, it } from 'vitest';
import { dateInName, HalfDayCheck, lineTimes } from './times.ts';

const DAY = Date.UTC(2004, 11, 25);
const HOUR = 3_600_000;

const clockOf = (time: string): number => {
  const [hours, minutes] = time.split(':').map(Number) as [number, number];
  return hours * HOUR + minutes * 60_000;
};

/** Days and times of lines, such as `25 09:14`. */
const readOn = (times: readonly (string | undefined)[]) => {
  const clocks = times.map((time) => (time === undefined ? {} : { clock: clockOf(time) }));
  const halfDays = new HalfDayCheck();
  for (const clock of clocks) halfDays.add(clock);
  const all = lineTimes(DAY, halfDays.is12Hours);
  const read = clocks.map((clock) => new Date(all.of(clock)!).toISOString().slice(8, 16).replace('T', ' '));
  return { read, midnights: all.midnights };
};

describe('the date in a file name', () => {
  it.each([
    ['2004-12-25.train-c.raw.txt', DAY],
    ['ubuntu-2004-12-25', DAY],
    ['#ubuntu_20041225.log', DAY],
    ['2004_12_25.log', DAY],
    ['2005-02-31.txt', undefined],
    ['2005-13-01.txt', undefined],
    ['12004-12-250.txt', undefined],
    ['2004-1225.txt', undefined],
    ['10101010.txt', undefined],
    ['notes.txt', undefined],
  ])('of %s is %s', (name, expected) => expect(dateInName(name)).toBe(expected));
});

describe('the time of a line', () => {
  it('is that of the line before if it has none, and midnight for the first', () => {
    expect(readOn([undefined, '09:05', undefined]).read).toEqual(['25 00:00', '25 09:05', '25 09:05']);
  });

  it.each([
    ['passes midnight', ['23:58', '00:02', '09:00'], ['25 23:58', '26 00:02', '26 09:00'], 1],
    ['passes it twice', ['22:00', '01:00', '21:00', '02:00'], ['25 22:00', '26 01:00', '26 21:00', '27 02:00'], 2],
    ['goes back by an hour when winter comes', ['02:59', '02:00', '13:00'], ['25 02:59', '25 02:00', '25 13:00'], 0],
    ['is set by a minute', ['09:05', '09:04'], ['25 09:05', '25 09:04'], 0],
  ])('is of the next day when the clock %s', (_, times, read, midnights) => {
    expect(readOn(times)).toEqual({ read, midnights });
  });

  it.each([
    [
      ['11:59', '12:00', '12:59', '01:00', '11:30'],
      ['25 11:59', '25 12:00', '25 12:59', '25 13:00', '25 23:30'],
    ],
    [
      ['12:10', '01:00', '12:05', '01:00', '12:00'],
      ['25 00:10', '25 01:00', '25 12:05', '25 13:00', '26 00:00'],
    ],
  ])('keeps its order on a clock of 12 hours: %j', (times, read) => {
    expect(readOn(times).read).toEqual(read);
  });

  it.each([
    [
      '24 hours: the mornings of three days',
      false,
      ['0 09:00', '09:14', '1 00:00', '00:01', '08:00', '2 00:00', '07:00'],
    ],
    ['24 hours: a day in each line', false, ['0 12:30', '1 09:00', '2 12:59', '3 01:00']],
    ['12 hours: noon within a day', true, ['0 09:00', '09:14', '12:59', '01:00', '1 00:00', '12:05']],
    ['12 hours: mornings after an evening', true, ['0 21:00', '09:05', '11:00']],
  ])('in a log that names its days is by a clock of %s', (_, is12Hours, lines) => {
    const halfDays = new HalfDayCheck();
    for (const line of lines) {
      const [time, day] = line.split(' ').reverse();
      halfDays.add({ clock: clockOf(time!), ...(day === undefined ? {} : { day: DAY + Number(day) * 24 * HOUR }) });
    }
    expect(halfDays.is12Hours).toBe(is12Hours);
  });

  it('is unknown as long as no day is, and begins anew with a day that the log names', () => {
    const times = lineTimes(undefined, false);
    expect(times.of({ clock: HOUR })).toBeUndefined();
    expect(times.of({ day: DAY, clock: 23 * HOUR })).toBe(DAY + 23 * HOUR);
    expect(times.of({ day: DAY + 24 * HOUR, clock: 0 })).toBe(DAY + 24 * HOUR);
    expect(times.of({ clock: HOUR })).toBe(DAY + 25 * HOUR);
    expect(times.midnights).toBe(0);
  });
});
