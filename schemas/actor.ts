/** Who is asking: a signed-in person, a bot, or the server itself carrying on what somebody began. */
export interface Actor {
  readonly userId: string;
  readonly kind: 'person' | 'bot' | 'imported';
  /** Administers the instance. */
  readonly administrator: boolean;
}
