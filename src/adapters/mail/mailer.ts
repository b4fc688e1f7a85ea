import { createTransport } from "nodemailer";
import type { Mailer } from "../../../gateway/ports/mailer.ts";

/** Timeout of the mail server (ms). */
const CONNECT_MS = 10_000;
const SOCKET_MS = 20_000;

/** Sends mail over SMTP; `url` is smtp://user:password@host:port or smtps://…, `from` is the sender. */
export function smtpMailer(url: string, from: string): Mailer & { close(): void } {
  const transport = createTransport({
    url,
    connectionTimeout: CONNECT_MS,
    greetingTimeout: CONNECT_MS,
    socketTimeout: SOCKET_MS,
  });
  return {
    async send({ to, subject, text }) {
      // Given as an object, the address is never parsed as a list of addresses.
      await transport.sendMail({ from, to: { name: "", address: to }, subject, text });
    },
    close: () => transport.close(),
  };
}
