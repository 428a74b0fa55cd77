/** Events of `dm-<low>_<high>`: which channel belongs to a pair of people. */
import * as t from 'io-ts';

export const DirectOpened = t.type({ channelId: t.string, participants: t.array(t.string) });
