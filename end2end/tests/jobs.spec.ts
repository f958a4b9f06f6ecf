// Support finds what failed and runs it again from where it failed: three clicks and a reason.
import { SUPPORT, eventually, expect, fillOrder, signIn, test } from "../product";

test("a failed job is found, and run again from the step that failed", async ({ page, product }, info) => {
  const email = `rerun-${info.project.name}-${info.workerIndex}-${info.retry}@demo.test`;
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
  await signIn(page, SUPPORT);
  await page.goto("/staff/jobs");
  await page.getByRole("link", { name: /^Failed/ }).click();
  await page.getByRole("row").filter({ hasText: email }).getByRole("link").first().click();
  await expect(page.getByText(/Steps that are kept: 4/)).toBeVisible();
  // What is an administrator's is there, and says so.
  await expect(page.getByRole("button", { name: "Roll back" })).toHaveAttribute("aria-disabled", "true");
  const reason = page.getByLabel("Reason");
  await reason.fill("the name was put right");
  await page.getByRole("button", { name: "Re-run from failed step: group_ensure" }).click();
  await expect(page.getByText("It is queued again, from the step that failed.")).toBeVisible();
  await eventually(page, /the name was put right/);
});
