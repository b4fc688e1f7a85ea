/** Reads the settings from the environment. A wrong value stops the start. */
import { misspelt } from "./misspelt.ts";
import { type Setting, settings } from "./settings.ts";

type Settings = ReturnType<typeof settings>;
export type Config = { readonly [K in keyof Settings]: Settings[K]["fallback"] };

export interface SettingInForce {
  readonly name: string;
  readonly value: string;
  readonly unit: string;
  readonly about: string;
  readonly from: "environment" | "default";
}

type Environment = { readonly [name: string]: string | undefined };

function present(environment: Environment, name: string): string | undefined {
  const text = environment[name]?.trim();
  return text === "" ? undefined : text;
}

/** The settings with the defaults of this environment. */
function settingsOf(environment: Environment) {
  const production = environment["NODE_ENV"] === "production";
  const proofs = ["GITHUB_CLIENT_ID", "STRIPE_SECRET_KEY"];
  return settings(production, production || proofs.some((name) => present(environment, name) !== undefined));
}

/** Reads the settings. Throws an Error that names every wrong one and says what it must be. */
export function readConfig(environment: Environment): Config {
  const all: { readonly [key: string]: Setting<unknown> } = settingsOf(environment);
  const wrong: string[] = [];
  const read = Object.entries(all).map(([key, setting]) => {
    const text = present(environment, setting.name);
    if (text === undefined) return [key, setting.fallback];
    try {
      return [key, setting.read(text)];
    } catch (error) {
      const shown = setting.secret === true ? "" : ` ("${text.slice(0, 80)}")`;
      wrong.push(`${setting.name}${shown} must be ${error instanceof Error ? error.message : "something else"}.`);
      return [key, setting.fallback];
    }
  });
  if (wrong.length > 0) throw new Error(wrong.join("\n"));
  // Built key by key from `settings`, so it has the type that settings gives.
  return Object.fromEntries(read) as Config;
}

/** Gives warnings about the environment, one sentence each. */
export function warnings(environment: Environment): readonly string[] {
  const known = Object.values(settings(false)).map(({ name }) => name);
  return misspelt(environment, known).map(
    ({ name, meant }) => `${name} is set, but no setting has that name; it is not read. Did you mean ${meant}?`,
  );
}

/** A URL without user and password; any other secret is masked completely. */
function masked(value: string): string {
  if (value === "") return value;
  return value.includes("://") ? value.replaceAll(/\/\/[^@,]*@/g, "//…@") : "…";
}

/** Gives every setting with the value in force; secrets are masked. */
export function settingsInForce(environment: Environment): readonly SettingInForce[] {
  const config: { readonly [key: string]: unknown } = readConfig(environment);
  const all: { readonly [key: string]: Setting<unknown> } = settingsOf(environment);
  return Object.entries(all).map(([key, { name, unit, about, secret }]) => {
    const value = config[key];
    const shown = value === null ? "" : String(value);
    return {
      name,
      value: secret === true ? masked(shown) : shown,
      unit,
      about,
      from: present(environment, name) === undefined ? "default" : "environment",
    };
  });
}
