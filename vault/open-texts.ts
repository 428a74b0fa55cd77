/** Opening many texts at once, so that it can be done elsewhere than on the thread that asks. */
import type { KeyObject } from 'node:crypto';
import type { Sealed } from '../schemas/envelope.ts';
import { openText, type SealedPlace } from './seal.ts';

export interface SealedText extends SealedPlace {
  /** `undefined`: the key is gone. */
  readonly key: KeyObject | undefined;
  readonly sealed: Sealed;
}

/** In the order asked; `undefined` where `openText` says so. */
export type OpenTexts = (texts: readonly SealedText[]) => Promise<readonly (string | undefined)[]>;

/** On this thread. */
export const openTextsHere: OpenTexts = async (texts) => texts.map((text) => openText(text.key, text, text.sealed));
