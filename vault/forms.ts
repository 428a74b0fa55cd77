/** The forms in which every vault stores names and secrets. */
import { createHash } from 'node:crypto';

/** One form for all spellings of a name: `ＡLICE` and `alice` are the same person. */
export const normalised = (username: string): string => username.normalize('NFKC').toLowerCase();

/** Of a secret that is random itself. */
export const hashOf = (secret: string): Buffer => createHash('sha256').update(secret).digest();
