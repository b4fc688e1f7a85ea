/** Translation, classification and writing, as far as there is one right answer. */
import type { Template } from "../template.ts";
import { object, SHORT, text, USUAL, whole, word } from "./shape.ts";

const GERMAN_DAYS = [
  ["Monday", "Montag"],
  ["Tuesday", "Dienstag"],
  ["Wednesday", "Mittwoch"],
  ["Thursday", "Donnerstag"],
  ["Friday", "Freitag"],
  ["Sunday", "Sonntag"],
] as const;
const FRENCH_MONTHS = [
  ["January", "janvier"],
  ["March", "mars"],
  ["April", "avril"],
  ["May", "mai"],
  ["June", "juin"],
  ["July", "juillet"],
  ["September", "septembre"],
  ["October", "octobre"],
  ["November", "novembre"],
] as const;
const SPANISH_COLOURS = [
  ["red", "rojo"],
  ["green", "verde"],
  ["blue", "azul"],
  ["yellow", "amarillo"],
  ["black", "negro"],
  ["white", "blanco"],
  ["grey", "gris"],
] as const;
const GERMAN_COUNTRIES = [
  ["France", "Frankreich"],
  ["Italy", "Italien"],
  ["Spain", "Spanien"],
  ["Greece", "Griechenland"],
  ["Austria", "Österreich"],
  ["Hungary", "Ungarn"],
  ["Poland", "Polen"],
  ["Norway", "Norwegen"],
  ["Ireland", "Irland"],
  ["Turkey", "Türkei"],
] as const;

const FEELINGS = ["positive", "negative"];
const PRAISE = [
  "It works perfectly and I would buy it again",
  "I am delighted, it is even better than I had hoped",
  "Great quality, my whole family loves it",
  "Best purchase of the year, thank you",
];
const BLAME = [
  "It broke on the second day and I want my money back",
  "A waste of money, it never worked",
  "I am very disappointed, it arrived damaged and dirty",
  "Terrible quality, do not buy this",
];

const TOPICS = ["billing", "delivery", "login", "cancellation"];
const MESSAGES = [
  ["I was charged twice for the same invoice", "billing"],
  ["the amount on my bill is wrong", "billing"],
  ["my parcel has not arrived yet", "delivery"],
  ["the courier left the box at a wrong address", "delivery"],
  ["I forgot my password and cannot sign in", "login"],
  ["the page does not accept my user name", "login"],
  ["please end my subscription at the end of the month", "cancellation"],
  ["I want to close my contract for good", "cancellation"],
] as const;

const LANGUAGES = ["German", "French", "Spanish", "Italian"];
const SENTENCES = [
  ["Der Zug kommt heute leider etwas später an.", "German"],
  ["Wir haben das Paket noch nicht erhalten.", "German"],
  ["Le magasin est fermé le dimanche matin.", "French"],
  ["Nous avons réservé une table pour ce soir.", "French"],
  ["La reunión empieza mañana por la tarde.", "Spanish"],
  ["Hemos perdido las llaves de la oficina.", "Spanish"],
  ["La biblioteca apre alle nove del mattino.", "Italian"],
  ["Abbiamo comprato il pane e il formaggio.", "Italian"],
] as const;

export const LANGUAGE: readonly Template[] = [
  {
    taskType: "translation",
    text: "[[Translate the weekday into German|Give the weekday in German]] and [[keep|leave]] the rest as it is: the technician of {company} comes to {city} on {day}, reference {code}.",
    blanks: {
      company: { kind: "company" },
      city: { kind: "city" },
      day: { kind: "one", of: GERMAN_DAYS },
      code: { kind: "code", pattern: "@###-##" },
    },
    ...object({
      "weekday|day|weekday_de": [text("The weekday, in German"), "{day}"],
      "reference|code": [text("The reference"), "{code}"],
    }),
    budget: [6, 14],
    seconds: SHORT,
  },
  {
    taskType: "translation",
    text: '[[Translate the month into French|Give the French name of the month]]. [[Text|Source]]: "{person} will open the new branch of {company} in {month}, with {staff} people."',
    blanks: {
      person: { kind: "person" },
      company: { kind: "company" },
      month: { kind: "one", of: FRENCH_MONTHS },
      staff: { kind: "number", from: 3, to: 940 },
    },
    ...object({
      "month|month_fr": [text("The month, in French"), "{month}"],
      "people|staff": [whole("How many people"), "{staff}"],
    }),
    budget: [6, 14],
    seconds: SHORT,
  },
  {
    taskType: "translation",
    text: "[[Label for the warehouse|Label]]: {count} x {product}, colour {colour}, article {code}. [[Translate the colour into Spanish, masculine singular|The colour is wanted in Spanish (masculine, singular)]]; [[copy|keep]] the article number.",
    blanks: {
      count: { kind: "number", from: 2, to: 90 },
      product: { kind: "product" },
      colour: { kind: "one", of: SPANISH_COLOURS },
      code: { kind: "code", pattern: "####@@" },
    },
    ...object({
      "colour|color|colour_es": [text("The colour, in Spanish"), "{colour}"],
      "article|article_number": [text("The number of the article"), "{code}"],
    }),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType: "translation",
    text: "[[Address block|Shipping note]]: {person}, {company}, {country}. [[Write the country in German|Translate the name of the country into German]], without an article. [[Weight|Gross weight]]: {weight} kg.",
    blanks: {
      person: { kind: "person" },
      company: { kind: "company" },
      country: { kind: "one", of: GERMAN_COUNTRIES },
      weight: { kind: "number", from: 2, to: 950 },
    },
    ...object({
      "country|country_de": [text("The country, in German"), "{country}"],
      "recipient|person": [text("Who gets it"), "{person}"],
    }),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType: "text_classification",
    text: '[[Review|Customer review]] of the {product} by {person} from {city}: "{review}!"',
    blanks: {
      product: { kind: "product" },
      person: { kind: "person" },
      city: { kind: "city" },
      review: {
        kind: "one",
        of: [...PRAISE.map((said) => [said, "positive"] as const), ...BLAME.map((said) => [said, "negative"] as const)],
      },
    },
    ...object({
      "sentiment|feeling": [word("[[What the customer thinks of it|The customer's opinion]]", FEELINGS), "{review}"],
      "product|item": [text("Which product"), "{product}"],
    }),
    budget: [6, 14],
    seconds: SHORT,
  },
  {
    taskType: "text_classification",
    text: '[[Message|Mail]] from {person}, customer {code}: "[[Hello|Hi|Good day]], {message}. [[Thanks|Please help]], {person}"',
    blanks: { person: { kind: "person" }, code: { kind: "code", pattern: "K######" }, message: { kind: "one", of: MESSAGES } },
    ...object({
      "topic|category": [word("What it is about", TOPICS), "{message}"],
      "customer|customer_id": [text("The customer's number"), "{code}"],
    }),
    budget: [6, 14],
    seconds: SHORT,
  },
  {
    taskType: "text_classification",
    text: '[[Post|Entry]] {code} of {person}: "{sentence}" [[Which language is it?|Name the language.]]',
    blanks: { code: { kind: "code", pattern: "##@@##" }, person: { kind: "person" }, sentence: { kind: "one", of: SENTENCES } },
    ...object({
      "language|lang": [word("The language of the quoted text", LANGUAGES), "{sentence}"],
      "post|entry": [text("The number of the post"), "{code}"],
    }),
    budget: [6, 12],
    seconds: SHORT,
  },
  {
    taskType: "text_classification",
    text: "[[Incident|Report]] {code} in {city}: {what}. [[Reported by|Seen by]] {person}. [[Urgent means that somebody may get hurt|It is urgent if somebody may get hurt]].",
    blanks: {
      code: { kind: "code", pattern: "R-####-@" },
      city: { kind: "city" },
      what: {
        kind: "one",
        of: [
          ["there is a smell of gas in the stairway", "urgent"],
          ["a heavy lamp hangs loose above the entrance", "urgent"],
          ["bare wires stick out beside the playground", "urgent"],
          ["the paint on the fence has faded", "normal"],
          ["the clock in the lobby is five minutes slow", "normal"],
          ["the poster in the lift is out of date", "normal"],
        ],
      },
      person: { kind: "person" },
    },
    ...object({
      "priority|urgency": [word("How urgent it is", ["urgent", "normal"]), "{what}"],
      "incident|report": [text("The number of the incident"), "{code}"],
    }),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType: "text_generation",
    text: "[[Write the subject line of a mail|Compose a subject line]], exactly of this form: Order <number> for <customer> has been shipped. [[Facts|Data]]: customer {person}, order {code}, {product}, shipped on {date}.",
    blanks: {
      person: { kind: "person" },
      code: { kind: "code", pattern: "##-######" },
      product: { kind: "product" },
      date: { kind: "date" },
    },
    ...object({ "subject|subject_line": [text("The subject line"), "Order {code} for {person} has been shipped"] }),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType: "text_generation",
    text: "[[Write a caption|Write one line under a picture]], exactly of this form: <person>, <role> at <company>. [[Notes|Facts]]: the picture was taken in {city} on {date}; it shows {person}; role: {role}; company: {company}.",
    blanks: {
      person: { kind: "person" },
      role: { kind: "one", of: ["designer", "chief cook", "head of sales", "surveyor", "welder", "librarian"] },
      company: { kind: "company" },
      city: { kind: "city" },
      date: { kind: "date" },
    },
    ...object({ "caption|text": [text("The caption, without a full stop"), "{person}, {role} at {company}"] }, true),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType: "text_generation",
    text: "[[Write the sentence for the sign|Write the text of a sign]], exactly of this form: <shop> is closed from <first day> to <last day>. [[Use days as YYYY-MM-DD.|Days are wanted as YYYY-MM-DD.]] Shop: {company}, {city}. First day: {from}. Last day: {to}.",
    blanks: { company: { kind: "company" }, city: { kind: "city" }, from: { kind: "date" }, to: { kind: "date" } },
    ...object({ "sentence|sign|text": [text("The sentence, without a full stop"), "{company} is closed from {from} to {to}"] }),
    budget: [6, 18],
    seconds: USUAL,
  },
];
