/** How the load client talks with a server. */

export interface Opening {
  /** Who opens the session: a token or, where there are none, whatever the server takes. */
  readonly person: string;
  /** Those that it hears, or else those that it sends to. */
  readonly channels: readonly string[];
  readonly listens: boolean;
}

/** What a frame says. Called while the frame is read. */
export interface Heard {
  /**
   * A command is answered.
   * @param number of the message; any number while the session opens
   * @param refusal what the server said, when it refused
   */
  answered(number: number, refusal?: string): void;
  /** A message arrived at a listener. */
  delivered(number: number): void;
  /** The server asks for this as a sign of life. */
  asked(answer: string): void;
}

export interface Protocol {
  /** The commands that open a session, each sent when the one before is answered. */
  opening(opening: Opening): readonly string[];
  /** @param text holds the number between marks; see `marked` */
  message(channel: string, number: number, text: string): string;
  /** Reads the frame in `bytes[start..end)`. */
  read(bytes: Buffer, start: number, end: number, heard: Heard): void;
}

const MARK = '#';

export const marked = (number: number, text: string): string => `${MARK}${number}${MARK} ${text}`;

/** @returns the first number between marks */
export const numberIn = (bytes: Buffer, start: number): number => {
  const at = bytes.indexOf(MARK, start) + 1;
  return Number(bytes.toString('latin1', at, bytes.indexOf(MARK, at)));
};

/** @returns the number after the first `before`, up to `after`; NaN where there is none */
export const numberBetween = (bytes: Buffer, start: number, before: string, after: string): number => {
  const found = bytes.indexOf(before, start);
  if (found === -1) return Number.NaN;
  const from = found + before.length;
  return Number(bytes.toString('latin1', from, bytes.indexOf(after, from)));
};

/** The beginning of a payload, enough to tell its kind. */
export const kindOf = (bytes: Buffer, start: number, end: number): string =>
  bytes.toString('latin1', start, Math.min(end, start + 64));
