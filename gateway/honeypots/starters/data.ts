/** Transformation of data, and small analyses. */
import type { Template } from "../template.ts";
import { LONG, number, object, text, texts, USUAL, whole } from "./shape.ts";

export const DATA: readonly Template[] = [
  {
    taskType: "data_transformation",
    text: "[[Turn this line of CSV into JSON|Convert the CSV to JSON]].\nname;company;city;age\n{person};{company};{city};{age}",
    blanks: {
      person: { kind: "person" },
      company: { kind: "company" },
      city: { kind: "city" },
      age: { kind: "number", from: 19, to: 80 },
    },
    ...object(
      {
        name: [text("Column 1"), "{person}"],
        company: [text("Column 2"), "{company}"],
        city: [text("Column 3"), "{city}"],
        age: [whole("Column 4"), "{age}"],
      },
      true,
    ),
    budget: [6, 16],
    seconds: USUAL,
  },
  {
    taskType: "data_transformation",
    text: '[[Normalise|Bring into order]]: date "{date}", amount "EUR {amount}", [[reference|ref]] "{code}", [[payee|paid to]] "{company}".',
    blanks: {
      date: { kind: "date" },
      amount: { kind: "number", from: 110_000, to: 9_900_000, grouped: true, digits: 2 },
      code: { kind: "code", pattern: "@@##-####" },
      company: { kind: "company" },
    },
    ...object({
      "date|booked_on": [text("As YYYY-MM-DD"), "{date}"],
      "amount|amount_eur": [number("The amount as a number"), "{amount}"],
      "reference|ref": [text("The reference"), "{code}"],
    }),
    budget: [8, 20],
    seconds: USUAL,
  },
  {
    taskType: "data_transformation",
    text: "[[List the keys and values as JSON|Make JSON of these lines]].\nhost = {host}\nport = {port}\nowner = {person}\n[[timeout_s|wait_s]] = {timeout}",
    blanks: {
      host: { kind: "code", pattern: "@@@##.example.net" },
      port: { kind: "number", from: 2_000, to: 60_999 },
      person: { kind: "person" },
      timeout: { kind: "number", from: 2, to: 900 },
    },
    ...object({
      host: [text("The host"), "{host}"],
      port: [whole("The port"), "{port}"],
      owner: [text("The owner"), "{person}"],
    }),
    budget: [6, 16],
    seconds: USUAL,
  },
  {
    taskType: "data_transformation",
    text: "[[Split the names into a list, in the same order|Give the names as a list, in this order]], and add up the amounts: {first} ({one}), {second} ({two}), {third} ({three}). [[Team of|They work for]] {company}.",
    blanks: {
      first: { kind: "person" },
      second: { kind: "person" },
      third: { kind: "person" },
      one: { kind: "number", from: 12, to: 480 },
      two: { kind: "number", from: 12, to: 480 },
      three: { kind: "number", from: 12, to: 480 },
      company: { kind: "company" },
      total: { kind: "sum", of: ["one", "two", "three"] },
    },
    ...object({
      "names|people": [texts("The names"), ["{first}", "{second}", "{third}"]],
      "total|sum": [whole("The sum"), "{total}"],
    }),
    budget: [8, 22],
    seconds: USUAL,
  },
  {
    taskType: "analysis",
    text: "[[Sales in three cities|Sales by city]], in thousands of EUR: {a} {x}, {b} {y}, {c} {z}. [[Which city is the strongest|Where were sales highest]], and what is the total? [[Seller|Company]]: {company}.",
    blanks: {
      a: { kind: "city" },
      b: { kind: "city" },
      c: { kind: "city" },
      x: { kind: "number", from: 21, to: 990 },
      y: { kind: "number", from: 21, to: 990 },
      z: { kind: "number", from: 21, to: 990 },
      company: { kind: "company" },
      best: { kind: "largest", of: ["x", "y", "z"], names: ["a", "b", "c"] },
      total: { kind: "sum", of: ["x", "y", "z"] },
    },
    ...object({
      "best_city|strongest": [text("The city"), "{best}"],
      "total|total_thousands": [whole("All three together"), "{total}"],
    }),
    budget: [10, 26],
    seconds: LONG,
  },
  {
    taskType: "analysis",
    text: "[[Compare the offers|Three offers came in]]: {a} asks EUR {x}, {b} asks EUR {y}, {c} asks EUR {z}, [[each|all]] for {count} pieces of {product}. [[Who is cheapest|Which offer is the lowest]]?",
    blanks: {
      a: { kind: "company" },
      b: { kind: "company" },
      c: { kind: "company" },
      x: { kind: "number", from: 2_100, to: 9_900 },
      y: { kind: "number", from: 2_100, to: 9_900 },
      z: { kind: "number", from: 2_100, to: 9_900 },
      count: { kind: "number", from: 20, to: 400 },
      product: { kind: "product" },
      cheapest: { kind: "smallest", of: ["x", "y", "z"], names: ["a", "b", "c"] },
      price: { kind: "smallest", of: ["x", "y", "z"], names: ["x", "y", "z"] },
    },
    ...object({
      "cheapest|lowest_bidder": [text("Who asks the least"), "{cheapest}"],
      "price|price_eur": [whole("What they ask"), "{price}"],
    }),
    budget: [10, 26],
    seconds: LONG,
  },
  {
    taskType: "analysis",
    text: "[[In|During]] {from} the warehouse of {company} held {before} pieces. {in} came in and {out} went out [[by the end|until the end of the period]]. [[The manager is|Counted by]] {person}. [[How many are left|What is the stock now]]?",
    blanks: {
      from: { kind: "one", of: ["spring", "summer", "autumn", "winter", "January", "June", "October"] },
      company: { kind: "company" },
      before: { kind: "number", from: 2_000, to: 9_500 },
      in: { kind: "number", from: 120, to: 1_900 },
      out: { kind: "number", from: 110, to: 1_800 },
      person: { kind: "person" },
      sum: { kind: "sum", of: ["before", "in"] },
      left: { kind: "difference", of: ["sum", "out"] },
    },
    ...object({
      "stock|left": [whole("Pieces that are left"), "{left}"],
      "counted_by|manager": [text("Who is named"), "{person}"],
    }),
    budget: [8, 24],
    seconds: LONG,
  },
];
