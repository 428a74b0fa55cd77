/** Of Parley's advisory locks: the first number of every one, and the second of each. */
export const LOCKS = 0x50524c;

/** Held while the tables of vault and coordination are made, and by who must have the vault alone. */
export const VAULT_LOCK = 3;
