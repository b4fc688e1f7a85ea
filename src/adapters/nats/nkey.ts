import { nkeys } from "nats";

/** A user of NATS that proves who it is by a signature: the server needs only the public key. */
export interface Nkey {
  readonly publicKey: string;
  /** The secret. */
  readonly seed: string;
}

/** Makes the key of a new user. */
export function makeNkey(): Nkey {
  const pair = nkeys.createUser();
  return { publicKey: pair.getPublicKey(), seed: new TextDecoder().decode(pair.getSeed()) };
}
