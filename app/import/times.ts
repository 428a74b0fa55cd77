/** When the lines of a log were written: times of day, and days that are named in the log or follow from the times. */

import { dayOf, type Reading } from './irc-lines.ts';

const HOUR = 3_600_000;
const DAY = 24 * HOUR;

/**
 * A clock that goes back this far has passed midnight. One that is set by an hour, or by the change to winter time, has not.
 */
const PASSED = 6 * HOUR;
/** On a clock of twelve hours without a.m. and p.m. */
const PASSED_NOON = HOUR / 2;

/** IRC was first used in August 1988: eight digits of another year are no date. */
const FIRST_YEAR = 1988;

/**
 * The day of a log, from its file's name: `2004-12-25` or `20041225`.
 * @returns midnight UTC in milliseconds since 1970; `undefined` when the name has no such date.
 */
export const dateInName = (name: string): number | undefined => {
  const [, year, , month, date] = /(?<!\d)(\d{4})([-_.]?)(\d\d)\2(\d\d)(?!\d)/.exec(name) ?? [];
  return year === undefined || Number(year) < FIRST_YEAR ? undefined : dayOf(year, Number(month), date!);
};

/**
 * Whether the times of a log are taken for those of a clock of twelve hours: none is later, and they go round within a
 * day. A line that names its day has a clock of 24 hours, and what was before it is of another day.
 */
export class HalfDayCheck {
  private last = 0;
  /** Hours from 1 to 12, where 12:59 is followed by 1:00. */
  private readonly from1 = { fits: true, goesRound: false };
  /** Hours from 0 to 11. */
  private readonly from0 = { fits: true, goesRound: false };

  add({ clock, day }: Pick<Reading, 'clock' | 'day'>): void {
    const { last, from1, from0 } = this;
    if (day !== undefined) this.last = clock ?? 0;
    if (clock === undefined || day !== undefined) return;
    from1.fits &&= clock >= HOUR && clock < 13 * HOUR;
    from1.goesRound ||= last >= 12 * HOUR && clock < 12 * HOUR;
    from0.fits &&= clock < 12 * HOUR;
    from0.goesRound ||= last - clock > PASSED;
    this.last = clock;
  }

  get is12Hours(): boolean {
    return [this.from1, this.from0].some(({ fits, goesRound }) => fits && goesRound);
  }
}

export interface LineTimes {
  /** When the line was written, in milliseconds since 1970; `undefined` as long as no day is known. */
  of(reading: Pick<Reading, 'clock' | 'day'>): number | undefined;
  /** How often midnight was passed without a word of it. */
  readonly midnights: number;
}

/**
 * Lines keep their order. A line without a time gets that of the line before.
 * @param day midnight UTC of the day on which the log begins, in milliseconds since 1970
 * @param is12Hours whether times are without a.m. and p.m., the first ones in the morning
 */
export const lineTimes = (day: number | undefined, is12Hours: boolean): LineTimes => {
  const round = is12Hours ? DAY / 2 : DAY;
  const back = is12Hours ? PASSED_NOON : PASSED;
  let named = day;
  let begin = day;
  let last = 0;
  let midnights = 0;
  return {
    of({ clock, day: told }) {
      if (told !== undefined) {
        named = told;
        begin = told;
        last = clock ?? 0;
      } else if (clock !== undefined) {
        const time = clock % round;
        if (last - time > back && begin !== undefined) {
          begin += round;
          // Two half days are one.
          if ((begin - named!) % DAY === 0) midnights += 1;
        }
        last = time;
      }
      return begin === undefined ? undefined : begin + last;
    },
    get midnights() {
      return midnights;
    },
  };
};
