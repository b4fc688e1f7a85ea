/** Sends mail. */
export interface Mailer {
  /** Sends a text; rejects if the mail server does not accept it. */
  send(mail: { readonly to: string; readonly subject: string; readonly text: string }): Promise<void>;
}
