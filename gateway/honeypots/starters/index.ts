/**
 * The templates that come with the platform, for each of its task types. They can be read by everybody, so whoever wants to can
 * tell what is made of them by its sentences; operators who have templates of their own for a type are served better.
 */
import type { Template } from "../template.ts";
import { BUSINESS } from "./business.ts";
import { DATA } from "./data.ts";
import { EVERYDAY, TECHNICAL } from "./everyday.ts";
import { LANGUAGE } from "./language.ts";

export const STARTERS: readonly Template[] = [...BUSINESS, ...EVERYDAY, ...TECHNICAL, ...LANGUAGE, ...DATA];
