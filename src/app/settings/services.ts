/** Settings of what others run for us: mail, payments, identities. */
import { smtpUrl, webUrl } from "./values.ts";

/** Mail, for recovery codes. */
export const MAIL = {
  smtpUrl: {
    name: "SMTP_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "The mail server for recovery codes, smtp://user:password@host:587 or smtps://…; left out, codes go to the log.",
    secret: true,
    read: smtpUrl,
  },
  mailFrom: {
    name: "MAIL_FROM",
    fallback: "NexusToken <no-reply@localhost>",
    unit: "address",
    about: "Whom mail comes from.",
    read: String,
  },
};

/** Credits for money. */
export const PAYMENTS = {
  stripeSecretKey: {
    name: "STRIPE_SECRET_KEY",
    fallback: null as string | null,
    unit: "text",
    about: "The key to Stripe's API; left out, nothing can be bought.",
    secret: true,
    read: String,
  },
  stripeWebhookSecret: {
    name: "STRIPE_WEBHOOK_SECRET",
    fallback: null as string | null,
    unit: "text",
    about: "Checks the signatures of Stripe's events, which go to /api/v1/credits/stripe/webhook.",
    secret: true,
    read: String,
  },
  stripeApiBase: {
    name: "STRIPE_API_BASE",
    fallback: "https://api.stripe.com",
    unit: "URL",
    about: "Where Stripe's API is.",
    read: webUrl,
  },
  publicUrl: {
    name: "PUBLIC_URL",
    fallback: null as string | null,
    unit: "URL",
    about: "Where clients reach this platform; left out, http://localhost and the port.",
    read: webUrl,
  },
};

/** GitHub accounts that speak for their owners. */
export const GITHUB = {
  githubClientId: {
    name: "GITHUB_CLIENT_ID",
    fallback: null as string | null,
    unit: "text",
    about: "The OAuth app's id at GitHub; left out, no GitHub account can be linked.",
    read: String,
  },
  githubClientSecret: {
    name: "GITHUB_CLIENT_SECRET",
    fallback: null as string | null,
    unit: "text",
    about: "The OAuth app's secret; its callback is PUBLIC_URL/api/v1/oauth/github/callback.",
    secret: true,
    read: String,
  },
  githubBaseUrl: {
    name: "GITHUB_BASE_URL",
    fallback: "https://github.com",
    unit: "URL",
    about: "Where GitHub's pages are.",
    read: webUrl,
  },
  githubApiUrl: {
    name: "GITHUB_API_URL",
    fallback: "https://api.github.com",
    unit: "URL",
    about: "Where GitHub's API is.",
    read: webUrl,
  },
};
