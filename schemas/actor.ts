/** Who is asking: a signed-in person, a bot, or the server itself finishing what a user started. */
export interface Actor {
  readonly userId: string;
  readonly kind: 'person' | 'bot' | 'imported';
  /** Administers the instance. */
  readonly administrator: boolean;
}
