import { randomUUID } from "node:crypto";
import type { Ids } from "../../../actors/ports/ids.ts";

export const randomIds: Ids = { next: () => randomUUID() };
