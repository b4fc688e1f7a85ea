/** Keeps an entity from deciding what not every member of the cluster could read. */
import type { AnyEntity } from "../../machines/entity.ts";
import type { Formats } from "../../machines/formats.ts";
import { isAgreed } from "../../machines/new-commands.ts";
import { NOT_AGREED } from "../message.ts";

/** The entity as it decides while the members of its cluster have agreed on these formats. */
export function agreed(entity: AnyEntity, formats: () => Formats): AnyEntity {
  return {
    ...entity,
    decide: (state, command, at, arrived) => {
      const agreed = formats();
      if (!isAgreed(entity.kind, command, agreed)) return NOT_AGREED;
      return entity.decide(state, command, at, arrived, agreed[entity.kind]);
    },
  };
}
