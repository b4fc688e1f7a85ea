/** The platform's icon. */

/** For browsers that take SVG icons. */
export const ICON_SVG = `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="7" fill="#1f6f5c"/><path d="M10.5 22.5v-13l11 13v-13" fill="none" stroke="#fff" stroke-width="3.4" stroke-linecap="round" stroke-linejoin="round"/></svg>`;

/** The same in 32 x 32 pixels, for those that ask for /favicon.ico whatever a page says. */
export const ICON_ICO = Buffer.from(
  [
    "AAABAAEAICAAAAEAIAB/AQAAFgAAAIlQTkcNChoKAAAADUlIRFIAAAAgAAAAIAgGAAAAc3p69AAAAUZJREFUeNpjYEAC8vkxEkDcDsSXgfg3EP",
    "+nEv4NNRNktgQDNgCUiAHiz1S0FBcG2RGDzfL/dMYxyMH+eQAc8BkcHdB4+T9AuJ0BmjgGygGXGaic2knOHQzEKFQqjP/v2VUNpqmpFoQZiDHw",
    "6pMH/0EARGuVpRCtlhhHEHRAQF/Df2Rw4NpFnAajqwXxKXZA+OTW/+hgwaFdRKkF8WniABCoWjVvYB3w5++f/3EzugbOASDw5cf3/05tpfR1wJ",
    "GbV1D4j9++/m9Sk00/B4D4604fQRE7dffmf7WSRPo5AGQZyFJkAHIU3RwAEgcFOyj48UUPTR0AwqAECEqIuADNHQDCoKwIypID5gAQBhVKA+oA",
    "EAYVzzRxALEVDKiCAlVUVK+MSKliQVU11atjejRIBrxJNuCN0gFvlg9sx2TAu2aDonM6kN1zACxhmW1b0O8+AAAAAElFTkSuQmCC",
  ].join(""),
  "base64",
);
