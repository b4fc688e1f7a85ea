/** What accounts are known by besides their id (design: accounts of one identity). */
import type { AccountId } from "../../machines/vocabulary.ts";
import type { Services } from "../services.ts";

/** The address behind an address: tags do not count, nor dots at the one provider that ignores them. */
export function normalAddress(email: string): string {
  const at = email.lastIndexOf("@");
  const [local = "", domain = ""] = [email.slice(0, at).toLowerCase(), email.slice(at + 1).toLowerCase()];
  const plain = local.replace(/\+.*$/, "") || local;
  const google = domain === "gmail.com" || domain === "googlemail.com";
  return google ? `${plain.replaceAll(".", "")}@gmail.com` : `${plain}@${domain}`;
}

/** What is known of an account that carries this mark now. */
export interface Kinship {
  /** The mark, and those of every account that shares it. */
  readonly marks: readonly string[];
  /** Those accounts, without the one that asks. */
  readonly kin: readonly AccountId[];
}

/** Looks who shares a mark. Rejects with StoreUnavailable. */
export async function kinOf({ reads }: Services, mark: string, self: AccountId): Promise<Kinship> {
  const others = (await reads.marked([mark])).filter(({ id }) => id !== self);
  return { marks: [...new Set([mark, ...others.flatMap(({ marks }) => marks)])], kin: others.map(({ id }) => id) };
}
