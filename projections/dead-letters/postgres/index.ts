export { openDeadLetters } from './dead-letters.ts';
