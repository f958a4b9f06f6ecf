// Every page in both themes, both languages and three widths. What is different each time (times, numbers, names out of chance) is made the
// same before a picture is taken; whether those are right is for the other tests to say. Not here: a server's screen, which is the
// server's to draw, open menus and dialogs, and forms that were refused.
import { ADMIN, ANNA, Product, eventually, expect, order, signIn } from "../product";
import { type Page, test as base } from "@playwright/test";

const WIDTHS = [320, 768, 1440];
const THEMES = ["light", "dark"] as const;
const LANGUAGES = ["en", "ru"];
const CUSTOMER = { email: "looks@demo.test", password: "a-long-new-password" };

const test = base.extend<object, { shown: Shown }>({
  shown: [
    async ({ browser }, use) => {
      const product = new Product(60);
      await product.start();
      try {
        await use(await prepared(product, await browser.newPage({ baseURL: product.url })));
      } finally {
        await product.stop();
      }
    },
    { scope: "worker" },
  ],
});

type Shown = { url: string; nobody: string[]; fresh: string[]; customer: string[]; admin: string[] };

/** A customer with a server that runs and one that failed, and where everything of it is. */
async function prepared(product: Product, page: Page): Promise<Shown> {
  product.addAccount(CUSTOMER.email, CUSTOMER.password);
  await signIn(page, CUSTOMER.email, CUSTOMER.password);
  await order(page);
  await eventually(page, /is ready$/);
  const operation = path(page);
  await order(page, { access: (page) => page.getByLabel("Host name").fill("fail-customize") });
  await eventually(page, /We could not finish/);
  const failed = path(page);
  await page.goto("/servers");
  const server = await page.locator("tbody th a", { hasText: "web-01" }).getAttribute("href");
  await page.getByRole("button", { name: "Order a server" }).first().click();
  await expect(page).toHaveURL(/\/order\//);
  const draft = path(page).split("/")[2];
  const several = `/servers/confirm?do=shut_down&server=${server!.split("/").pop()}`;
  const steps = ["os", "panel", "size", "access", "review"].map((step) => `/order/${draft}/${step}`);
  const tabs = ["", "/resize", "/network", "/reinstall", "/terminate", "/confirm?do=reboot", "/confirm?do=reset_password"];
  await signIn(page, ADMIN);
  const first = async (list: string) => {
    await page.goto(list);
    return (await page.locator(`main a[href^="${list}/"]`).first().getAttribute("href"))!;
  };
  const job = failed.replace("/operations/", "/staff/jobs/");
  const one = [await first("/staff/edges"), await first("/staff/vapps"), await first("/staff/customers")];
  // What the platform holds is looked up behind the pages.
  await expect(async () => {
    await page.goto(one[1]);
    await expect(page.getByRole("heading", { name: "Networks" })).toBeVisible({ timeout: 500 });
  }).toPass({ timeout: 90_000 });
  await page.close();
  const catalogue = ["templates", "templates?edit=new", "panels?edit=plesk", "prices?edit=limits"];
  return {
    url: product.url,
    nobody: ["/login", "/nowhere"],
    fresh: ["/servers", "/operations"],
    customer: ["/servers", "/operations", operation, failed, ...steps, ...tabs.map((tab) => server + tab), several, "/account", "/keys", "/servers?q=nothing-like-it"],
    admin: [
      "/staff",
      "/staff/jobs",
      "/staff/jobs?q=colour:red",
      job,
      `${job}/confirm?do=rerun`,
      "/staff/jobs/rerun?q=state:failed",
      "/staff/edges",
      "/staff/edges?view=grid",
      "/staff/vapps",
      "/staff/customers",
      ...one,
      "/staff/drift",
      ...catalogue.map((what) => `/staff/catalogue/${what}`),
      "/staff/system",
      "/staff/system/audit",
      "/staff/help",
    ],
  };
}

const path = (page: Page) => new URL(page.url()).pathname;

/** Chance and the clock are taken out of what is shown, also of what arrives later. */
function same() {
  const clean = () => {
    const texts = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let text = texts.nextNode() as Text | null; text; text = texts.nextNode() as Text | null) {
      const known = text.data
        .replace(/[0-9a-f]{8}-[0-9a-f-]{27}|\b(?=[a-z]*\d)[0-9a-z]{8,}\b/g, "id")
        .replace(/\d+(?:[.,:\s\u00a0\u202f]\d+)*/g, "0");
      const whole = text.parentElement!.closest("time") ? "0" : known;
      // Another change, even to the same, would be seen again.
      if (text.data !== whole) text.data = whole;
    }
  };
  clean();
  new MutationObserver(clean).observe(document.body, { subtree: true, childList: true, characterData: true });
}

async function look(page: Page, at: string, name: string) {
  await page.goto(at);
  await expect(page.locator("html.alive")).toBeAttached();
  await page.evaluate(() => document.fonts.ready);
  await page.evaluate(same);
  await expect.soft(page).toHaveScreenshot(name, { fullPage: true });
}

for (const width of WIDTHS) {
  for (const colorScheme of THEMES) {
    for (const language of LANGUAGES) {
      test(`${width} px, ${colorScheme}, ${language}`, async ({ browser, shown }) => {
        const people = [
          { pages: shown.nobody },
          { pages: shown.fresh, email: ANNA },
          { pages: shown.customer, ...CUSTOMER },
          { pages: shown.admin, email: ADMIN },
        ];
        for (const { pages, email, password } of people as { pages: string[]; email?: string; password?: string }[]) {
          const viewport = { width, height: 900 };
          // The zone that goes with the language: otherwise each page would offer the browser's.
          const timezoneId = language === "ru" ? "Europe/Moscow" : "UTC";
          const page = await browser.newPage({ baseURL: shown.url, viewport, colorScheme, locale: "en", timezoneId });
          if (email) await signIn(page, email, password);
          await page.context().addCookies([{ name: "lang", value: language, url: shown.url }]);
          for (const [i, at] of pages.entries()) {
            const word = at.split(/[/?]/).filter((part) => /^[a-z_=&]+$/.test(part)).join("-");
            await look(page, at, `${width}-${colorScheme}-${language}/${email?.split("@")[0] ?? "nobody"}-${i}-${word}.png`);
          }
          await page.close();
        }
      });
    }
  }
}
