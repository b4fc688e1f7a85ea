/** Marks by which accounts of one identity are recognised (design: accounts of one identity). */
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Services } from "../services.ts";

/** The mailbox of an address: without +tags, and without dots at the provider that ignores them. */
export function normalAddress(email: string): string {
  const at = email.lastIndexOf("@");
  const [local = "", domain = ""] = [email.slice(0, at).toLowerCase(), email.slice(at + 1).toLowerCase()];
  const plain = local.replace(/\+.*$/, "") || local;
  const google = domain === "gmail.com" || domain === "googlemail.com";
  return google ? `${plain.replaceAll(".", "")}@gmail.com` : `${plain}@${domain}`;
}

/** The accounts that share a mark, and their marks. */
export interface IdentityMatch {
  /** The mark, and those of every account that shares it. */
  readonly marks: readonly string[];
  /** Those accounts, without the given one. */
  readonly kin: readonly AccountId[];
}

/** Finds the accounts that share a mark. Rejects with StoreUnavailable. */
export async function matchIdentity({ reads }: Services, mark: string, self: AccountId): Promise<IdentityMatch> {
  const others = (await reads.marked([mark])).filter(({ id }) => id !== self);
  return { marks: [...new Set([mark, ...others.flatMap(({ marks }) => marks)])], kin: others.map(({ id }) => id) };
}
