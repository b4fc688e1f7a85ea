import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { Agenda } from "../../../actors/matching/agenda.ts";
import { Heads, inOrder, SortedList } from "../../../actors/matching/sorted.ts";

const byNumber = (a: number, b: number) => a - b;

describe("a sorted list", () => {
  test("is what sorting the items that were added and not removed gives", () => {
    fc.assert(
      fc.property(fc.array(fc.tuple(fc.boolean(), fc.nat(2_000)), { maxLength: 2_000 }), (steps) => {
        const list = new SortedList(byNumber);
        const model = new Set<number>();
        for (const [adds, item] of steps) {
          if (!adds) expect(list.remove(item)).toBe(model.delete(item));
          else if (!model.has(item)) {
            list.add(item);
            model.add(item);
          }
        }
        const sorted = [...model].sort(byNumber);
        expect([...list]).toEqual(sorted);
        expect([list.size, list.first, list.last]).toEqual([sorted.length, sorted[0], sorted.at(-1)]);
      }),
    );
  });

  test("keeps its order over many blocks, from either end", () => {
    const numbers = Array.from({ length: 1_000 }, (_, index) => index);
    for (const given of [numbers, numbers.toReversed()]) {
      const list = new SortedList(byNumber);
      for (const item of given) list.add(item);
      expect([...list]).toEqual(numbers);
      for (const item of numbers.slice(0, 999)) list.remove(item);
      expect([...list]).toEqual([999]);
    }
  });
});

describe("several lists", () => {
  test("are gone through in one order, however many there are", () => {
    const lists = fc.array(fc.uniqueArray(fc.nat(5_000), { maxLength: 40 }), { maxLength: 200 });
    fc.assert(
      fc.property(lists, (items) => {
        const seen = new Set<number>();
        const unique = items.map((some) => some.filter((item) => !seen.has(item) && seen.add(item) !== undefined));
        const sorted = unique.map((some) => {
          const list = new SortedList(byNumber);
          for (const item of some) list.add(item);
          return list;
        });
        const choose = (width: number) => {
          const heads = new Heads(byNumber, width);
          for (const list of sorted) heads.offer(list);
          return heads;
        };
        expect([...inOrder(choose, byNumber)]).toEqual(unique.flat().sort(byNumber));
      }),
    );
  });
});

describe("an agenda", () => {
  test("gives what is due, the earliest first, and each once", () => {
    const agenda = new Agenda<string>();
    agenda.set("b", 20, "B");
    agenda.set("a", 20, "A");
    agenda.set("c", 10, "C");
    expect(agenda.due(9)).toEqual([]);
    expect(agenda.due(20)).toEqual(["C", "A", "B"]);
    expect(agenda.due(100)).toEqual([]);
  });

  test("keeps one time for each id, and none of what was dropped", () => {
    const agenda = new Agenda<string>();
    agenda.set("a", 10, "A");
    agenda.set("a", 30, "A later");
    agenda.set("b", 10, "B");
    agenda.drop("b");
    expect(agenda.due(29)).toEqual([]);
    expect(agenda.due(30)).toEqual(["A later"]);
  });
});
