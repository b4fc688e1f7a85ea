import { createTransport } from "nodemailer";
import type { Mailer } from "../../../gateway/ports/mailer.ts";

/** A mail server that is slower than this is as good as away (ms). */
const CONNECT_MS = 10_000;
const SOCKET_MS = 20_000;

/** Sends mail over SMTP; `url` is smtp://user:password@host:port or smtps://…, `from` whom it comes from. */
export function smtpMailer(url: string, from: string): Mailer & { close(): void } {
  const transport = createTransport({
    url,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
  });
  return {
    async send({ to, subject, text }) {
      // An address is one address: what would be read as a list goes to nobody.
      await transport.sendMail({ from, to: { name: "", address: to }, subject, text });
    },
    close: () => transport.close(),
  };
}
