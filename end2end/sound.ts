// What holds on every page, whatever it shows.
import { readFileSync } from "node:fs";
import { brotliCompressSync } from "node:zlib";
import { HtmlValidate } from "html-validate";
import type { Page } from "@playwright/test";
import { expect, fits } from "./product";

const axe = readFileSync(require.resolve("axe-core/axe.min.js"), "utf8");
const html = new HtmlValidate({
  root: true,
  extends: ["html-validate:document", "html-validate:standard"],
  rules: {
    // How the framework writes an attribute without a value, and the marks it leaves between texts.
    "attribute-boolean-style": "off",
    "attribute-empty-style": "off",
    "void-style": "off",
    "no-trailing-whitespace": "off",
    "no-inline-style": "error",
    "no-dup-id": "error",
    // What comes from the same origin needs no digest.
    "require-sri": "off",
  },
});
/** What the HTML of a page may weigh, as it is served. */
const HTML_MAX = 20 * 1024;

/** No violation of accessibility in either theme, nothing sticks out, nothing is dead, the HTML is valid and light. */
export async function sound(page: Page) {
  await page.waitForLoadState();
  await page.evaluate(axe);
  for (const colorScheme of ["dark", "light"] as const) {
    // Colours on their way from one theme to the other are neither.
    await page.emulateMedia({ colorScheme, reducedMotion: "reduce" });
    const result = await page.evaluate(() =>
      // @ts-expect-error axe is what was just evaluated
      axe.run(document, { runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"] }),
    );
    const found = result.violations.map((v: { id: string; nodes: { html: string }[] }) => [v.id, v.nodes[0].html]);
    expect(found, `${page.url()} in ${colorScheme}`).toEqual([]);
  }
  await fits(page);
  await nothingIsDead(page);
  await served(page);
}

/** Whatever is disabled says why, in words that can be seen. */
async function nothingIsDead(page: Page) {
  const silent = await page.locator("[aria-disabled=true], button:disabled, input:disabled, option:disabled").evaluateAll((all) =>
    all
      .filter((one) => {
        // An option has no place for a reason but its own words.
        if (one instanceof HTMLOptionElement) return !one.text.includes(":");
        const reasons = (one.getAttribute("aria-describedby") ?? "").split(" ").map((id) => document.getElementById(id));
        return !reasons.some((reason) => reason && reason.textContent!.trim().length > 3 && reason.checkVisibility());
      })
      .map((one) => one.outerHTML),
  );
  expect(silent, `${page.url()}: disabled without a reason`).toEqual([]);
}

/** The HTML as the server sends it. */
async function served(page: Page) {
  const response = await page.request.get(page.url(), { headers: { accept: "text/html" }, failOnStatusCode: false });
  const text = await response.text();
  const report = await html.validateString(text);
  const found = report.results.flatMap((r) => r.messages).map((m) => `${m.ruleId}: ${m.message} (${m.line}:${m.column})`);
  expect(found, page.url()).toEqual([]);
  const weight = brotliCompressSync(text).length;
  expect(weight, `${page.url()} weighs ${weight} bytes`).toBeLessThanOrEqual(HTML_MAX);
}

/** With every word nearly half as long again nothing sticks out and nothing is cut off. */
export async function roomForLongerWords(page: Page) {
  await page.waitForLoadState();
  await page.evaluate(() => {
    const walker = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    const texts: Text[] = [];
    while (walker.nextNode()) texts.push(walker.currentNode as Text);
    for (const text of texts) {
      const parent = text.parentElement;
      if (!parent || ["SCRIPT", "STYLE", "NOSCRIPT", "OPTION", "TEXTAREA", "CODE", "TIME"].includes(parent.tagName)) continue;
      // Words, not figures: a language makes names longer, and not numbers.
      text.data = text.data.replace(/\p{L}{2,}/gu, (word) => word + "ёж".repeat(Math.ceil(word.length / 5)));
    }
  });
  await fits(page);
  const cut = await page.locator("body *").evaluateAll((all) =>
    all
      .filter((one) => one.checkVisibility() && !one.closest(".sr-only, .skip, svg, .scroll"))
      .filter((one) => getComputedStyle(one).overflowX === "hidden" || getComputedStyle(one).textOverflow === "ellipsis")
      // What only a screen reader meets has no size to overflow.
      .filter((one) => one.clientWidth > 2 && one.scrollWidth > one.clientWidth + 1)
      .map((one) => one.outerHTML.slice(0, 120)),
  );
  expect(cut, `${page.url()}: cut off`).toEqual([]);
}
