export { DeadLetterTopic, deadLettersTopic } from './topic.ts';
