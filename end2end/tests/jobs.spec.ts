// Support finds what failed and runs it again from where it failed: three clicks and a reason.
import type { Page, TestInfo } from "@playwright/test";
import { type Product, SUPPORT, eventually, expect, fillOrder, fits, signIn, test } from "../product";

/** An order that fails at making the vApp. Returns the customer's e-mail. */
async function failedOrder(page: Page, product: Product, name: string, info: TestInfo): Promise<string> {
  const email = `${name}-${info.project.name}-${info.workerIndex}-${info.retry}@demo.test`;
  product.addAccount(email, "correct horse battery");
  await signIn(page, email, "correct horse battery");
  await fillOrder(page, {
    access: async (page) => {
      await page.getByLabel("Host name").fill("fail-vdccomposevapp");
    },
  });
  await page.getByRole("checkbox", { name: /terms/ }).check();
  await page.getByRole("button", { name: /^Order for/ }).click();
  await eventually(page, /We could not finish/);
  return email;
}

test("a failed job is found, and run again from the step that failed", async ({ page, product }, info) => {
  const email = await failedOrder(page, product, "rerun", info);
  await signIn(page, SUPPORT);
  await page.goto("/staff/jobs");
  await page.getByRole("link", { name: "Failed now" }).click();
  await page.getByRole("row").filter({ hasText: email }).getByRole("link").first().click();
  await expect(page.getByText(/Steps that are kept: 4/)).toBeVisible();
  await page.getByRole("link", { name: "Where to look" }).click();
  await expect(page).toHaveURL(/\/staff\/help#cause-[a-z_]+$/);
  await expect(page.locator(":target").getByRole("link", { name: /^Jobs with this cause/ })).toBeVisible();
  await fits(page);
  await page.goBack();
  // What is an administrator's is there, and says so.
  await expect(page.getByRole("button", { name: "Roll back" })).toHaveAttribute("aria-disabled", "true");
  const reason = page.getByLabel("Reason");
  await reason.fill("the name was put right");
  await page.getByRole("button", { name: "Re-run from failed step: group_ensure" }).click();
  await expect(page.getByText("It is queued again, from the step that failed.")).toBeVisible();
  await eventually(page, /the name was put right/);
});

test("a failed job is run again from an earlier step, and its steps say what was tried", async ({ page, product }, info) => {
  const email = await failedOrder(page, product, "earlier", info);
  await signIn(page, SUPPORT);
  await page.goto(`/staff/jobs?q=${encodeURIComponent(`state:failed customer:${email}`)}`);
  await page.getByRole("row").filter({ hasText: email }).getByRole("link").first().click();
  await page.getByRole("row").filter({ hasText: "group_ensure" }).first().locator("summary").click();
  await expect(page.getByText("failed", { exact: true }).first()).toBeVisible();
  await page.getByRole("link", { name: "From another step, or with something chosen anew…" }).click();
  await fits(page);
  await page.getByRole("radio", { name: /^network_create/ }).check();
  await page.getByRole("button", { name: "Re-run from failed step: group_ensure" }).click();
  await expect(page.getByText("Say why in a few words, ten characters at least.").first()).toBeVisible();
  await expect(page.getByRole("radio", { name: /^network_create/ })).toBeChecked();
  await page.getByLabel("Reason").fill("the network was put right");
  await page.getByRole("button", { name: "Re-run from failed step: group_ensure" }).click();
  await expect(page.getByText("It is queued again, from the step that failed.")).toBeVisible();
  await eventually(page, /the network was put right/);
  await fits(page);
});

test("jobs are searched, taken care of, written about, and run again together", async ({ page, product }, info) => {
  const email = await failedOrder(page, product, "bulk", info);
  await signIn(page, SUPPORT);
  await page.goto("/staff/jobs");
  const find = async (text: string) => {
    await page.getByRole("combobox", { name: "Find jobs" }).fill(text);
    await page.getByRole("button", { name: "Search" }).click();
  };
  await find(`state:failed colour:red customer:${email}`);
  const unknown = page.getByText(/Not understood, and left out:/).locator("..");
  await expect(unknown.getByRole("listitem").filter({ hasText: "colour:red" })).toContainText("state:");
  // What a word could have been is a link that asks for it; what a search can go on with is offered while it is written.
  await expect(page.locator("datalist option[value$=' kind:activate']")).toHaveCount(1);
  await find(`kind:activated customer:${email}`);
  await unknown.getByRole("link", { name: "kind:activate" }).click();
  await expect(page.getByRole("combobox", { name: "Find jobs" })).toHaveValue(`kind:activate customer:${email}`);
  await find(`state:failed colour:red customer:${email}`);
  await expect(page.getByRole("combobox", { name: "Find jobs" })).toHaveValue(/colour:red/);
  const rows = page.getByRole("table").getByRole("row").filter({ hasText: email });
  await expect(rows).toHaveCount(1);
  await fits(page);
  await rows.getByRole("link").first().click();
  await page.getByRole("button", { name: "Assign to me" }).click();
  await expect(page.getByRole("button", { name: "Give it back" })).toBeVisible();
  await page.getByRole("button", { name: "Add note" }).click();
  await expect(page.getByText("Write something first.").first()).toBeVisible();
  await page.getByRole("textbox", { name: "Note" }).fill("called the customer");
  await page.getByRole("button", { name: "Add note" }).click();
  await expect(page.getByText("The note was added.")).toBeVisible();
  await expect(page.getByRole("table").last()).toContainText("called the customer");
  await fits(page);

  await page.goto("/staff/jobs");
  await page.getByRole("link", { name: "Assigned to me" }).click();
  await expect(rows).toHaveCount(1);
  await find(`state:failed customer:${email}`);
  await page.getByRole("link", { name: "Re-run all that match…" }).click();
  await expect(page.getByRole("row").filter({ hasText: email })).toContainText(/Runs again group_ensure Steps that are kept: 4/);
  await fits(page);
  await page.getByRole("button", { name: "Re-run 1 job" }).click();
  await expect(page.getByText("Say why in a few words, ten characters at least.").first()).toBeVisible();
  await page.getByLabel("Reason").fill("the platform was repaired");
  await page.getByRole("button", { name: "Re-run 1 job" }).click();
  await expect(page.getByText("1 job is queued again.")).toBeVisible();
  await find("state:succeeded kind:repair");
  await expect(page.getByText("No jobs match.")).toBeVisible();
  await page.getByRole("link", { name: "All jobs" }).click();
  await expect(page.getByRole("combobox", { name: "Find jobs" })).toHaveValue("");
});
