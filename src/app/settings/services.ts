/** Settings of outside services: mail, payments, GitHub. */
import { smtpUrl, webUrl } from "./values.ts";

/** Mail, for recovery codes. */
export const MAIL = {
  smtpUrl: {
    name: "SMTP_URL",
    fallback: null as string | null,
    unit: "URL",
    about:
      "Mail server for recovery codes, smtp://user:password@host:587 or smtps://…; without it, codes are written to the log.",
    secret: true,
    read: smtpUrl,
  },
  mailFrom: {
    name: "MAIL_FROM",
    fallback: "NexusToken <no-reply@localhost>",
    unit: "address",
    about: "Sender of that mail.",
    read: String,
  },
};

/** Credits for money. */
export const PAYMENTS = {
  stripeSecretKey: {
    name: "STRIPE_SECRET_KEY",
    fallback: null as string | null,
    unit: "text",
    about: "Secret key of Stripe's API; without it, credits cannot be bought.",
    secret: true,
    read: String,
  },
  stripeWebhookSecret: {
    name: "STRIPE_WEBHOOK_SECRET",
    fallback: null as string | null,
    unit: "text",
    about: "Signing secret of Stripe's webhook; have Stripe send its events to /api/v1/credits/stripe/webhook.",
    secret: true,
    read: String,
  },
  stripeApiBase: {
    name: "STRIPE_API_BASE",
    fallback: "https://api.stripe.com",
    unit: "URL",
    about: "Base URL of Stripe's API.",
    read: webUrl,
  },
};

/** GitHub accounts that workers link to prove who they are. */
export const GITHUB = {
  githubClientId: {
    name: "GITHUB_CLIENT_ID",
    fallback: null as string | null,
    unit: "text",
    about: "Client id of the OAuth app at GitHub; without it, GitHub accounts cannot be linked.",
    read: String,
  },
  githubClientSecret: {
    name: "GITHUB_CLIENT_SECRET",
    fallback: null as string | null,
    unit: "text",
    about: "Client secret of the OAuth app, whose callback is PUBLIC_URL/api/v1/oauth/github/callback.",
    secret: true,
    read: String,
  },
  githubBaseUrl: {
    name: "GITHUB_BASE_URL",
    fallback: "https://github.com",
    unit: "URL",
    about: "Base URL of GitHub.",
    read: webUrl,
  },
  githubApiUrl: {
    name: "GITHUB_API_URL",
    fallback: "https://api.github.com",
    unit: "URL",
    about: "Base URL of GitHub's API.",
    read: webUrl,
  },
};
