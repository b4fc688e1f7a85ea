/** What blanks are filled with: names of people, companies, places and things that do not exist, or say nothing, and dates. */
import { type Draw, type Invented, oneOf } from "./template.ts";

const words = (list: string): readonly string[] => list.split(" ");

const FIRST_NAMES = words(
  "Ada Ahmed Aiko Alice Amara Anders Anna Arjun Astrid Beatriz Bela Bianca Bruno Carla Carlos Celine Chen Chloe Clara Daniel Dario Deepa Diego Dmitri Elena Elias Emeka Emil Emma Enzo Erik Esra Eva Farid Fatima Felix Finn Freya Gabriel Giulia Grace Hana Hannah Hassan Helena Hugo Ibrahim Ines Ingrid Irina Isaac Ivan Jamal Jana Jonas Julia Kaito Karim Katya Kenji Klara Lars Laura Leila Leo Lena Linh Louis Lucia Luca Magnus Malik Marco Maria Marta Matteo Maya Mei Mia Miguel Mila Mina Nadia Naomi Nikhil Nils Nora Olga Oscar Pablo Paula Pedro Petra Priya Rafael Rania Ravi Rosa Ruth Samir Sara Sofia Sven Tariq Tessa Theo Tomas Uma Vera Viktor Wanjiru Yara Yusuf Zoe",
);
const LAST_NAMES = words(
  "Abbas Achebe Adler Almeida Anand Andersen Bakker Banerjee Barros Bauer Becker Bergman Bianchi Borg Brandt Cardoso Castillo Chandra Cohen Conti Costa Dahl Daniels Das Delgado Demir Dias Dubois Eriksen Fabre Falk Farah Ferrari Fischer Flores Fontaine Fraser Fujita Galli Garcia Ghosh Gomez Greco Haddad Hansen Hartmann Hassan Herrera Hoang Holm Horvat Ito Ivanov Jansen Jensen Joshi Kaplan Kaya Keller Khan Kimura Klein Kovacs Kowalski Krause Kumar Lam Larsen Laurent Lehmann Lindqvist Lopez Maier Malik Marino Martins Mehta Mensah Meyer Molina Moreau Mori Moser Murphy Nakamura Navarro Nguyen Nielsen Novak Okafor Olsen Ortega Osei Park Patel Pereira Petrov Popescu Quist Ramos Rao Reyes Ricci Rossi Roy Sanders Santos Sato Schmitt Seidel Sharma Silva Singh Sokolov Steiner Suzuki Svensson Tanaka Torres Tran Vargas Vogel Wagner Weber Winter Yamada Yilmaz Zhang Ziegler",
);
const COMPANY_FIRST = words(
  "Alder Amber Apex Arbor Aster Atlas Aurora Beacon Birch Blue Bright Cedar Cinder Clear Cobalt Copper Coral Crest Delta Drift Ember Everly Falcon Fern Flint Fox Garnet Glacier Granite Harbor Hazel Heron Indigo Iron Ivory Jasper Juniper Keystone Lark Linden Lumen Maple Meridian Mica Mistral Moss Nimbus North Nova Oak Onyx Orchid Osprey Pebble Pine Quarry Quill Raven Ridge River Rowan Sable Sage Sierra Silver Slate Solar Spruce Stone Summit Sycamore Teal Thistle Tidal Topaz Vale Vertex Violet Walnut Willow Wren Zephyr",
);
const COMPANY_LAST = words(
  "Analytics Bakeries Bikes Books Brewing Capital Ceramics Chemicals Coatings Components Consulting Dairy Data Devices Dynamics Electric Energy Engineering Farms Fibre Films Foods Freight Furniture Garments Glass Health Holdings Hotels Insurance Labs Logistics Marine Materials Media Metals Mills Mobility Motors Networks Optics Packaging Paper Partners Pharma Plastics Press Printing Robotics Seeds Security Shipping Software Steel Studios Supply Systems Textiles Tools Toys Trading Travel Water Wind Works",
);
const COMPANY_KINDS = ["", "", "", " Ltd", " GmbH", " Inc", " AG", " Group", " plc", " SA"];
const CITIES = words(
  "Aarhus Adelaide Algiers Antwerp Athens Austin Barcelona Basel Bergen Bilbao Bogota Bologna Bordeaux Boston Bratislava Bremen Brisbane Bristol Brno Bucharest Budapest Calgary Cardiff Casablanca Chicago Cologne Cork Dakar Dallas Denver Dresden Dublin Durban Edinburgh Florence Frankfurt Gdansk Geneva Genoa Ghent Glasgow Gothenburg Graz Grenoble Hamburg Hanoi Helsinki Istanbul Kobe Krakow Kyoto Lagos Leeds Leipzig Lille Lima Linz Lisbon Liverpool Ljubljana Lyon Madrid Malaga Manchester Marseille Melbourne Milan Montreal Munich Nairobi Nantes Naples Osaka Oslo Ottawa Padua Palermo Perth Porto Prague Quito Riga Rotterdam Salzburg Santiago Sapporo Seattle Seville Singapore Sofia Stockholm Stuttgart Sydney Tallinn Toronto Toulouse Trieste Tunis Turin Turku Utrecht Valencia Vancouver Verona Vienna Vilnius Warsaw Wellington Zagreb Zurich",
);
const PRODUCT_QUALITIES = words(
  "aluminium bamboo brass canvas ceramic compact copper cordless cotton electric enamel folding foldable glass granite insulated leather magnetic mechanical oak portable rechargeable silicone solar stainless steel waterproof wireless wooden woollen",
);
const PRODUCT_THINGS = words(
  "backpack blender bookshelf bottle bracket brush bucket camera chair clock compass desk drill fan filter flashlight frame grinder hammock heater helmet kettle keyboard knife ladder lamp lantern microphone mirror monitor mug notebook pan pillow printer projector pump radio rug saw scale scanner speaker stapler stool suitcase table teapot tent thermometer toaster tray tripod umbrella vase wallet watch",
);
const MONTHS = words("January February March April May June July August September October November December");
const FIRST_YEAR = 2018;
const YEARS = 9;
/** Every month has so many. */
const DAYS = 28;

const padded = (number: number): string => String(number).padStart(2, "0");

/** Draws what is invented: how the text shows it, and how it is answered. */
export function invent(kind: Invented, draw: Draw): { readonly shown: string; readonly answer: string } {
  const text = (shown: string) => ({ shown, answer: shown });
  switch (kind) {
    case "company":
      return text(`${oneOf(draw, COMPANY_FIRST)} ${oneOf(draw, COMPANY_LAST)}${oneOf(draw, COMPANY_KINDS)}`);
    case "person":
      return text(`${oneOf(draw, FIRST_NAMES)} ${oneOf(draw, LAST_NAMES)}`);
    case "city":
      return text(oneOf(draw, CITIES));
    case "product":
      return text(`${oneOf(draw, PRODUCT_QUALITIES)} ${oneOf(draw, PRODUCT_THINGS)}`);
    case "date": {
      const [year, month, day] = [FIRST_YEAR + draw(YEARS), draw(MONTHS.length), 1 + draw(DAYS)];
      const name = MONTHS[month] ?? "";
      const shown = oneOf(draw, [
        `${day} ${name} ${year}`,
        `${name} ${day}, ${year}`,
        `${year}-${padded(month + 1)}-${padded(day)}`,
      ]);
      return { shown, answer: `${year}-${padded(month + 1)}-${padded(day)}` };
    }
    default:
      return kind satisfies never;
  }
}
