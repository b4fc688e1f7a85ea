/** The bus over which fleets of workers ask: what the door behind it is asked, and what it answers. */

/** What became of a push: sent, which does not mean that anybody heard it; not now, the server is away or behind; longer than it passes. */
export type Pushed = "sent" | "later" | "too long";

/** The way to the fleet of one account, which may hear what is pushed to it. */
export interface PushLine {
  /** Whether something may be sent now. */
  isUp(): boolean;
  /** Sends a JSON text. Nothing is kept to be sent later. */
  push(text: string): Pushed;
}

/** A request as it came over the bus. */
export interface FleetRequest {
  /** The part of its subject that names the account. Nobody has checked it. */
  readonly account: string;
  /** A whole JSON text, if it is a good one. */
  readonly payload: Uint8Array;
  /** How long its headers are (bytes). */
  readonly headerBytes: number;
  /** Reads the headers; undefined if they cannot be read. Gives a header by its name in any case, empty if it was not sent. */
  readonly readHeaders: () => ((name: string) => string) | undefined;
  /** The longest body that the bus can take back (bytes). */
  readonly answerBytesMax: number;
  /** Reaches whoever listens for the account that the subject names. */
  readonly line: PushLine;
}

/** What goes back. A status of 400 or more is an error, and its body a problem document (RFC 9457). */
export interface FleetAnswer {
  readonly status: number;
  readonly headers: ReadonlyMap<string, string>;
  /** JSON. */
  readonly body: string;
  /** For an error: the sentence of its problem document. */
  readonly sentence: string | null;
  /**
   * To be called once it is known whether the server has the answer, which is then not to be sent later; null where that makes no
   * difference.
   */
  readonly whenSent: ((isSent: boolean) => void) | null;
}

/** What can be asked, by the last part of a subject: `work.submit`. */
export interface FleetVerb {
  readonly verb: string;
  /** What is told to those who ask the bus what there is. */
  readonly about: { readonly [name: string]: string };
}

/** The door behind the bus. */
export interface FleetService {
  readonly version: string;
  readonly verbs: readonly FleetVerb[];
  /** Answers a request for one of the verbs. Never rejects. */
  answer(verb: string, request: FleetRequest): Promise<FleetAnswer>;
}
