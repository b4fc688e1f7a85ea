/** Brings mail to people. */
export interface Mailer {
  /** Sends a text; rejects when it cannot be handed over. */
  send(mail: { readonly to: string; readonly subject: string; readonly text: string }): Promise<void>;
}
