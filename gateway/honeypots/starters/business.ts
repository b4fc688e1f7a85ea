/** Extraction from business texts: results, orders, invoices, people. */
import type { Template } from "../template.ts";
import { LONG, object, SHORT, text, USUAL, whole } from "./shape.ts";

const taskType = "json_extraction";

export const BUSINESS: readonly Template[] = [
  {
    taskType,
    text: "{company} [[reported|posted|announced]] {quarter} revenue of USD {revenue} million[[, up|, an increase of]] {growth}% [[year over year|on the same quarter a year earlier]]. [[The results were presented in|Management spoke in]] {city}[[ by {person}, the head of finance|, where {person} took questions]].",
    blanks: {
      company: { kind: "company" },
      quarter: { kind: "one", of: ["first-quarter", "second-quarter", "third-quarter", "fourth-quarter"] },
      revenue: { kind: "number", from: 105, to: 98_765, digits: 1 },
      growth: { kind: "number", from: 2, to: 48 },
      city: { kind: "city" },
      person: { kind: "person" },
    },
    ...object({
      "company|company_name|issuer": [text("[[The company|Name of the company]]"), "{company}"],
      "revenue_millions|revenue_usd_m": [{ type: "number", description: "Revenue in millions of dollars" }, "{revenue}"],
      "growth_percent|yoy_percent": [whole("Growth in percent"), "{growth}"],
    }),
    budget: [8, 24],
    seconds: USUAL,
  },
  {
    taskType,
    text: "[[Invoice|INVOICE]] {number}\n[[From|Seller]]: {company}\n[[Billed to|Customer]]: {customer}\n[[Date|Issued]]: {date}\nNet: EUR {net}\nVAT: EUR {vat}\n[[Payable within|Please pay within]] {days} days[[.| of the date above.]]",
    blanks: {
      number: { kind: "code", pattern: "INV-####-@##" },
      company: { kind: "company" },
      customer: { kind: "company" },
      date: { kind: "date" },
      net: { kind: "number", from: 310, to: 48_900 },
      vat: { kind: "number", from: 20, to: 290 },
      days: {
        kind: "one",
        of: [
          ["10", 10],
          ["14", 14],
          ["15", 15],
          ["45", 45],
          ["60", 60],
        ],
      },
      total: { kind: "sum", of: ["net", "vat"] },
    },
    ...object(
      {
        "invoice_number|invoice|number": [text("[[Number of the invoice|The invoice's number]]"), "{number}"],
        "vendor|seller|supplier": [text("Who sends it"), "{company}"],
        "total|amount_due": [whole("Net and VAT together, in EUR"), "{total}"],
        "due_in_days|payment_days": [whole("Days until payment"), "{days}"],
      },
      true,
    ),
    budget: [10, 30],
    seconds: USUAL,
  },
  {
    taskType,
    text: "{company} [[has appointed|named|has hired]] {person} as its new {role}, effective {date}. [[{before}, who held the post for {years} years, is leaving the company.|The previous holder, {before}, stays on as an adviser after {years} years in the post.]]",
    blanks: {
      company: { kind: "company" },
      person: { kind: "person" },
      before: { kind: "person" },
      role: {
        kind: "one",
        of: [
          "chief executive",
          "chief technology officer",
          "head of research",
          "chief financial officer",
          "head of sales",
          "general counsel",
        ],
      },
      date: { kind: "date" },
      years: { kind: "number", from: 2, to: 19 },
    },
    ...object({
      "company|organisation": [text("The company"), "{company}"],
      "appointee|new_person|name": [text("Who is [[new in the post|appointed]]"), "{person}"],
      "role|position|title": [text("The post, as the text names it"), "{role}"],
      "effective_date|start_date": [text("From when, as YYYY-MM-DD"), "{date}"],
    }),
    budget: [8, 22],
    seconds: USUAL,
  },
  {
    taskType,
    text: "[[Order|Your order]] {order} [[was placed|has been received]] on {date}. It contains {quantity} x {product} at EUR {price} each[[ and will be shipped|, to be delivered]] to {person} in {city}.",
    blanks: {
      order: { kind: "code", pattern: "@@######" },
      date: { kind: "date" },
      quantity: { kind: "number", from: 2, to: 38 },
      product: { kind: "product" },
      price: { kind: "number", from: 40, to: 460 },
      person: { kind: "person" },
      city: { kind: "city" },
      total: { kind: "times", of: ["quantity", "price"] },
    },
    ...object({
      "order_id|order_number|reference": [text("The order's number"), "{order}"],
      "item|product": [text("What was ordered"), "{product}"],
      "quantity|count|units": [whole("How many"), "{quantity}"],
      "order_total|total_eur": [whole("Price of all of them in EUR"), "{total}"],
    }),
    budget: [8, 20],
    seconds: SHORT,
  },
  {
    taskType,
    text: "{buyer} [[will acquire|has agreed to buy|is taking over]] {target} for USD {price} million[[ in cash|]]. {target}, [[based in|with its head office in]] {city}, [[employs|has]] {staff} people. [[The deal is expected to close by|Both boards expect to complete it by]] {date}.",
    blanks: {
      buyer: { kind: "company" },
      target: { kind: "company" },
      price: { kind: "number", from: 12, to: 960 },
      city: { kind: "city" },
      staff: { kind: "number", from: 1_020, to: 18_900, grouped: true },
      date: { kind: "date" },
    },
    ...object({
      "acquirer|buyer": [text("Who buys"), "{buyer}"],
      "target|acquired": [text("Who is bought"), "{target}"],
      "price_millions|value_usd_m": [whole("Price in millions of dollars"), "{price}"],
      "employees|headcount": [whole("How many people the target employs"), "{staff}"],
    }),
    budget: [10, 26],
    seconds: USUAL,
  },
  {
    taskType,
    text: "[[From|Sender]]: {person}, {company}\n[[Hello|Hi|Good morning]],\n[[please call me back on|you can reach me on]] {phone}[[ until Friday|, any time after nine|]]. [[My customer number is|We are customer]] {customer}, and it is about [[our|the]] {product}.\n[[Regards|Best regards|Thank you]]",
    blanks: {
      person: { kind: "person" },
      company: { kind: "company" },
      phone: { kind: "code", pattern: "+49 ### #######" },
      customer: { kind: "code", pattern: "C-#####" },
      product: { kind: "product" },
    },
    ...object({
      "contact|name|person": [text("Who writes"), "{person}"],
      "phone|telephone": [text("The telephone number as it is written"), "{phone}"],
      "customer_number|customer_id": [text("The number of the customer"), "{customer}"],
    }),
    budget: [6, 16],
    seconds: SHORT,
  },
  {
    taskType,
    text: "[[Minutes of the meeting|Notes of the call]] on {date}: {first} [[will prepare|takes care of]] {taskone}. {second} [[will|is to]] {tasktwo}. [[The next meeting is in|We meet again in]] {city}. [[Budget approved|Approved spending]]: EUR {budget}.",
    blanks: {
      date: { kind: "date" },
      first: { kind: "person" },
      second: { kind: "person" },
      taskone: {
        kind: "one",
        of: ["the contract draft", "the price list", "the audit report", "the onboarding plan", "the press release"],
      },
      tasktwo: {
        kind: "one",
        of: ["call the landlord", "test the new scanner", "book the venue", "collect the quotes", "update the manual"],
      },
      city: { kind: "city" },
      budget: { kind: "number", from: 1_150, to: 86_400, grouped: true },
    },
    ...object({
      "date|meeting_date": [text("When it was, as YYYY-MM-DD"), "{date}"],
      "first_owner|owner_1": [text("Who has the first task"), "{first}"],
      "second_owner|owner_2": [text("Who has the second task"), "{second}"],
      "budget_eur|approved_eur": [whole("What was approved, in EUR"), "{budget}"],
    }),
    budget: [10, 28],
    seconds: LONG,
  },
  {
    taskType,
    text: '[[Contract|Agreement]] {number} between {one} ([[the supplier|"Supplier"]]) and {other} ([[the client|"Client"]]) [[runs|is valid]] from {from} for {months} months. [[Either side may end it with notice of|The notice period is]] {notice} days.',
    blanks: {
      number: { kind: "code", pattern: "##/@@-###" },
      one: { kind: "company" },
      other: { kind: "company" },
      from: { kind: "date" },
      months: { kind: "number", from: 6, to: 48, step: 6 },
      notice: {
        kind: "one",
        of: [
          ["14", 14],
          ["28", 28],
          ["45", 45],
          ["90", 90],
        ],
      },
    },
    ...object(
      {
        "supplier|provider": [text("The supplier"), "{one}"],
        "client|customer": [text("The client"), "{other}"],
        "start|start_date|from": [text("First day, as YYYY-MM-DD"), "{from}"],
        "months|term_months": [whole("How many months it runs"), "{months}"],
        "notice_days|notice": [whole("Days of notice"), "{notice}"],
      },
      true,
    ),
    budget: [12, 32],
    seconds: LONG,
  },
];
