/** The vault cannot be opened; the message says what is wrong and what to do. */
export class UnusableVault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = 'UnusableVault';
  }
}
