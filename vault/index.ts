/** The vault as others see it. Adapters are chosen by `app`. */
export { KeyRing } from './key-ring.ts';
export type * from './port.ts';
export { openText, type SealedPlace, sealText } from './seal.ts';
export { createTokens } from './tokens.ts';
export type * from './tokens-port.ts';
