// What a screen reader is given: the tree of each screen, and what is announced while an order is carried out. What is
// expected lies in `semantics/`; a change of it is looked at and taken over by `--update-snapshots`.
import { eventually, expect, fillOrder, signIn, test } from "../product";
import type { Page } from "@playwright/test";

test.use({ speed: 40 });

/** Puts a word where ids, addresses and moments are: they differ each time. */
async function still(page: Page) {
  await page.waitForLoadState();
  // What a stream writes comes before, and not over it.
  const chip = page.locator(".live-chip");
  if ((await chip.count()) > 0) await expect(chip).toHaveText(/Live/);
  await page.evaluate(() => {
    const calm = (text: string) =>
      text
        .replace(/[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f-]{22}/g, "ID")
        .replace(/\d{2} \w{3} \d{4}/g, "DAY")
        .replace(/\b(\d{2}:)?\d{2}:\d{2}\b/g, "TIME")
        .replace(/198\.18\.\d+\.\d+/g, "ADDRESS")
        .replace(/#\d{3,}/g, "#NUMBER")
        .replace(/\b[0-9A-F]{8}\b/g, "ID")
        .replace(/operation \d{3,}/gi, "operation NUMBER")
        .replace(/http:\/\/127\.0\.0\.1:\d+/g, "")
        .replace(/semantics-[\w-]+@/g, "semantics@")
        .replace(/about \d+ min|\d+–\d+ min\w*/g, "USUAL");
    const walk = document.createTreeWalker(document.body, NodeFilter.SHOW_TEXT);
    for (let node = walk.nextNode(); node; node = walk.nextNode()) node.nodeValue = calm(node.nodeValue!);
    for (const link of document.querySelectorAll("a[href]")) link.setAttribute("href", calm(link.getAttribute("href")!));
    for (const named of document.querySelectorAll("[aria-label]")) named.setAttribute("aria-label", calm(named.getAttribute("aria-label")!));
  });
}

async function tree(page: Page, name: string) {
  await still(page);
  await expect(page.locator("body")).toMatchAriaSnapshot({ name: `${name}.aria.yml` });
}

test("each screen is what it was for a screen reader", async ({ page, product }, info) => {
  test.skip(info.project.name !== "script-desk", "it is the same at every width");
  test.setTimeout(600_000);
  await page.goto("/login");
  await tree(page, "login");
  const email = `semantics-${info.retry}-${info.workerIndex}@demo.test`;
  product.addAccount(email, "correct horse battery");
  await signIn(page, email, "correct horse battery");
  await tree(page, "servers-empty");
  await page.goto("/operations");
  await tree(page, "operations-empty");
  await fillOrder(page);
  const draft = page.url().replace(/\/review.*/, "");
  for (const step of ["os", "panel", "size", "access", "review"]) {
    await page.goto(`${draft}/${step}`);
    await tree(page, `order-${step}`);
  }
  await page.goto(`${draft}/access`);
  await page.getByLabel("Host name").fill("-web");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await tree(page, "order-access-refused");
  await page.goto(`${draft}/access`);
  await page.getByLabel("Host name").fill("web-01");
  await page.getByRole("button", { name: "Next: Review" }).last().click();
  await page.getByRole("checkbox", { name: /terms/ }).check();
  await page.getByRole("button", { name: /^Order for/ }).click();
  await eventually(page, /is ready$/);
  const operation = page.url();
  await page.goto(operation);
  await tree(page, "operation-done");
  // Its links lead nowhere any more.
  await page.goto(operation);
  await page.getByRole("link", { name: "Open the server" }).click();
  await expect(page).toHaveURL(/\/servers\/[0-9a-f-]{36}/);
  const server = page.url().replace(/[?#].*/, "");
  for (const [name, path] of [
    ["server", ""],
    ["server-resize", "/resize?vcpu=2&ram=4&disk=40&bandwidth=100"],
    ["server-network", "/network"],
    ["server-reinstall", "/reinstall"],
    ["server-terminate", "/terminate"],
    ["server-confirm", "/confirm?do=reboot"],
  ]) {
    await page.goto(server + path);
    await expect(page.locator("nav.tabs")).toBeVisible();
    await tree(page, name);
  }
  for (const path of ["servers", "operations", "account", "keys", "nowhere"]) {
    await page.goto(`/${path}`);
    await tree(page, path);
  }
});

/** What is announced of an order with the defaults, in this order; quick steps may be passed over. */
const ANNOUNCED = {
  en: [
    "Checking the order",
    "Reserving a network slot",
    "Setting up the network",
    "Preparing your server group",
    "Copying AlmaLinux 9",
    "Applying the size",
    "Setting hostname, login and IP",
    "Starting",
    "Checking access",
    "Finishing",
    "NAME is ready",
  ],
  ru: [
    "Проверяем заказ",
    "Резервируем место в сети",
    "Настраиваем сеть",
    "Готовим группу серверов",
    "Копируем AlmaLinux 9",
    "Применяем размер",
    "Настраиваем имя, вход и IP",
    "Включаем",
    "Проверяем вход",
    "Завершаем",
    "NAME готов",
  ],
};

for (const lang of ["en", "ru"] as const) {
  test(`what an order announces, in ${lang}`, async ({ page, product }, info) => {
    test.skip(info.project.name !== "script-desk", "it is the same at every width");
    const email = `announced-${lang}-${info.retry}-${info.workerIndex}@demo.test`;
    product.addAccount(email, "correct horse battery");
    await signIn(page, email, "correct horse battery");
    await fillOrder(page);
    const draft = page.url();
    await page.context().addCookies([{ name: "lang", value: lang, url: product.url }]);
    await page.addInitScript(() => {
      const heard: string[] = [];
      Object.assign(window, { heard });
      document.addEventListener("DOMContentLoaded", () => {
        const say = document.getElementById("say")!;
        new MutationObserver(() => heard.push(say.textContent!)).observe(say, { childList: true, characterData: true, subtree: true });
      });
    });
    await page.goto(draft);
    const name = "web-01";
    await page.locator("#terms").check();
    await page.locator("form.order button").first().click();
    const golden = ANNOUNCED[lang].map((text) => text.replace("NAME", name));
    await expect(page.getByRole("heading", { name: golden.at(-1) })).toBeVisible({ timeout: 40_000 });
    const heard = await page.evaluate(() => (window as unknown as { heard: string[] }).heard);
    const places = heard.map((text) => golden.indexOf(text));
    expect(places, JSON.stringify(heard)).not.toContain(-1);
    expect(places, JSON.stringify(heard)).toEqual([...new Set(places)].sort((a, b) => a - b));
    expect(heard.at(-1)).toBe(golden.at(-1));
    expect(heard.length).toBeGreaterThan(4);
  });
}
